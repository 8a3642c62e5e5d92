/** What the wizard holds: fields of both ways, so that switching between them loses nothing. */
export interface RestoreValues extends Record<string, unknown> {
  kind: string;
  on: string;
  name: string;
  register: boolean;
  database: string;
  confirm: string;
  endSessions: boolean;
  jobs: number;
}

export interface RestoreInput {
  target:
    | { kind: "new"; on: string; name: string; register: boolean }
    | { kind: "over"; database: string; confirm: string; endSessions: boolean };
  jobs: number;
}

export function toRestoreInput(values: RestoreValues): RestoreInput {
  const { on, name, register, database, confirm, endSessions, jobs } = values;
  const target =
    values.kind === "over"
      ? { kind: "over" as const, database, confirm: confirm.trim(), endSessions }
      : { kind: "new" as const, on, name: name.trim(), register };
  return { target, jobs };
}

/** Messages per field; `confirmed` also asks for the typed name. */
export function checkTarget(values: RestoreValues, confirmed: boolean): Record<string, string> {
  const wrong: Record<string, string> = {};
  if (values.kind === "new") {
    if (!values.on) wrong.on = "Choose a database on the server that gets the new one.";
    if (!/^[a-z0-9_][a-z0-9_-]{0,62}$/.test(values.name.trim())) {
      wrong.name = "Use 1 to 63 lower-case letters, digits, _ and -.";
    }
  } else {
    if (!values.database) wrong.database = "Choose the database to replace.";
    else if (confirmed && values.confirm.trim() !== values.database)
      wrong.confirm = `This is not ${values.database}.`;
  }
  return wrong;
}
