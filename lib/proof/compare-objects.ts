import type { Fingerprint, ProofCheck } from "./schema.ts";

/** Names shown in a sentence before it says how many more there are. */
const SHOWN = 5;

/** Schema text is comparable only where both sides were written down by the same method. */
export function compareSchema(source: Fingerprint["schema"], restored: Fingerprint["schema"]): ProofCheck {
  const name = "schema";
  const uncertain = (detail: string): ProofCheck => ({ name, state: "not compared", detail });
  if (source.digest === null) return uncertain(source.note ?? "the dump's schema was not written down");
  if (restored.digest === null) return uncertain(restored.note ?? "the restored schema was not written down");
  if (source.method !== restored.method) {
    return uncertain(`not comparable: written down by ${source.method}, and restored by ${restored.method}`);
  }
  if (source.digest === restored.digest) {
    return { name, state: "passed", detail: `the schema is equal (${source.method})` };
  }
  const differing = differingObjects(source.objects, restored.objects);
  const which = differing.length > 0 ? `: ${list(differing)}` : "";
  return { name, state: "failed", detail: `the schema differs from the dumped one${which}` };
}

/** "TABLE public.a differs", where both sides listed their objects. */
function differingObjects(
  before: Record<string, string> | undefined,
  after: Record<string, string> | undefined,
): string[] {
  if (!before || !after) return [];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    if (before[name] === after[name]) return [];
    if (after[name] === undefined) return [`${name} is missing`];
    return [before[name] === undefined ? `${name} is new` : `${name} differs`];
  });
}

/** Owners, grants and default privileges, where the restore was to bring them back. */
export function compareOwnership(
  source: Fingerprint["ownership"],
  restored: Fingerprint["ownership"],
  wanted: boolean,
): ProofCheck[] {
  const name = "owners and grants";
  if (!source || !restored) return [];
  if (!wanted) return [{ name, state: "not compared", detail: "they were not restored" }];
  if (source.digest === null || restored.digest === null) {
    const detail = restored.note ?? source.note ?? "they were not written down";
    return [{ name, state: "not compared", detail }];
  }
  return source.digest === restored.digest
    ? [{ name, state: "passed", detail: "they are equal" }]
    : [{ name, state: "failed", detail: "they differ from the dumped ones" }];
}

/** Every sequence must be at or past its recorded value: later numbers are no loss, earlier ones are given twice. */
export function compareSequences(
  source: Fingerprint["sequences"],
  restored: Fingerprint["sequences"],
): ProofCheck[] {
  if (source.length === 0) return [];
  const after = new Map(restored.map((sequence) => [sequence.name, sequence.value]));
  const problems: string[] = [];
  for (const { name, value, descending } of source) {
    const found = after.get(name);
    if (found === undefined) problems.push(`${name} is missing`);
    else if (!isAtOrPast(value, found, descending ?? false))
      problems.push(`${name} is at ${found ?? "its start"}, recorded ${value}`);
  }
  const count = source.length === 1 ? "1 sequence is" : `${source.length} sequences are`;
  return [
    problems.length === 0
      ? { name: "sequences", state: "passed", detail: `${count} at or past the recorded value` }
      : { name: "sequences", state: "failed", detail: list(problems) },
  ];
}

/** Null is a sequence that was never used; descending ones go past a value downwards. */
function isAtOrPast(recorded: string | null, found: string | null, descending: boolean): boolean {
  if (recorded === null || recorded === found) return true;
  if (found === null || !isInteger(recorded) || !isInteger(found)) return false;
  const [from, to] = [BigInt(recorded), BigInt(found)];
  return descending ? to <= from : to >= from;
}

function isInteger(text: string): boolean {
  return /^-?\d+$/.test(text);
}

export function compareExtensions(
  source: Fingerprint["extensions"],
  restored: Fingerprint["extensions"],
): ProofCheck[] {
  if (source.length === 0) return [];
  const after = new Map(restored.map((extension) => [extension.name, extension.version]));
  const missing = source.filter(({ name }) => !after.has(name)).map(({ name }) => `${name} is missing`);
  if (missing.length > 0) return [{ name: "extensions", state: "failed", detail: list(missing) }];
  const others = source.flatMap(({ name, version }) => {
    const here = after.get(name);
    return here === version ? [] : [`${name} ${version} was restored as ${here}`];
  });
  const detail = others.length > 0 ? list(others) : "all are there, in the same versions";
  return [{ name: "extensions", state: "passed", detail }];
}

export function compareLargeObjects(
  source: Fingerprint["largeObjects"],
  restored: Fingerprint["largeObjects"],
): ProofCheck[] {
  const name = "large objects";
  if (!source && !restored) return [];
  const [before, after] = [source?.count ?? 0, restored?.count ?? 0];
  if (before !== after)
    return [{ name, state: "failed", detail: `${before} were dumped, ${after} restored` }];
  if (before === 0) return [];
  const [digest, other] = [source?.digest ?? null, restored?.digest ?? null];
  if (digest === null || other === null) {
    return [{ name, state: "passed", detail: `all ${before} are there; their content was not compared` }];
  }
  return digest === other
    ? [{ name, state: "passed", detail: `all ${before} are there, with the same content` }]
    : [{ name, state: "failed", detail: `all ${before} are there, with other content` }];
}

function list(items: string[]): string {
  const more = items.length - SHOWN;
  return items.slice(0, SHOWN).join("; ") + (more > 0 ? `; and ${more} more` : "");
}
