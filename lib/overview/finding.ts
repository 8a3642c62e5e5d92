import type { Assessed } from "../databases/database-row.ts";
import { formatDuration, plural } from "../format.ts";
import type { Overview } from "./schema.ts";

type Part = Overview["finding"][number];

const plain = (text: string): Part => ({ text, tone: "plain" });

/** "billing-production" + " has not been proven for 9 days." from the promise's own text. */
export function clauseOf(text: string): string {
  const notProven = /^not proven for (.+)$/.exec(text);
  if (notProven) return ` has not been proven for ${notProven[1]}.`;
  const clauses: Record<string, string> = {
    "never backed up": " was never backed up.",
    "never proven": " was never proven.",
    "last proof failed": " failed its last proof.",
    "could not be verified": " could not be verified.",
    "no copy is left": " has no good copy left.",
    "backing up now": " is being backed up.",
    "waits for its backup": " waits for its backup.",
    "proving now": " is being proven.",
    "waits for its proof": " waits for its proof.",
  };
  return clauses[text] ?? " needs a look.";
}

/** The Overview in a sentence or two; only the part that needs someone has a tone. */
export function findingOf(databases: Assessed[], kitMissing: boolean): Part[] {
  if (databases.length === 0) return [plain("No database is registered yet.")];
  const bad = databases.filter((one) => !one.restorable);
  const kit: Part[] = kitMissing ? [{ text: " No recovery kit has been confirmed.", tone: "warning" }] : [];
  if (bad.length === 0) return [plain(allGood(databases)), ...kit];
  return [plain(`${share(databases.length - bad.length, databases.length)} `), ...badParts(bad)];
}

function allGood(databases: Assessed[]): string {
  const [only] = databases;
  return databases.length === 1 && only
    ? `${only.item.name} can be restored.`
    : `All ${databases.length} databases can be restored.`;
}

function share(good: number, all: number): string {
  if (all === 1) return "The one database can't be restored yet.";
  if (good === 0) return `None of ${all} databases can be restored yet.`;
  return `${good} of ${all} databases can be restored.`;
}

function badParts(bad: Assessed[]): Part[] {
  const [first, second] = [...bad].sort((a, b) => rank(b) - rank(a));
  if (!first) return [];
  const name = (one: Assessed): Part => ({ text: one.item.name, tone: toneOf(one) });
  if (!second) return [name(first), plain(clauseOf(first.item.recoverable.text))];
  if (bad.length === 2) return [name(first), plain(" and "), name(second), plain(" need attention.")];
  return [{ text: `${bad.length} databases`, tone: toneOf(first) }, plain(" need attention.")];
}

function rank(one: Assessed): number {
  return { problem: 3, warning: 2, unknown: 1, running: 0, ok: 0 }[one.item.recoverable.state];
}

function toneOf(one: Assessed): Part["tone"] {
  return one.item.recoverable.state === "problem" ? "problem" : "warning";
}

/** Short facts below the finding: the slowest restore, in how many places copies lie, who is working. */
export function factsOf(databases: Assessed[], workers: number): string[] {
  const proven = databases.filter((one) => one.row.provenId !== null);
  const seconds = proven.flatMap((one) => one.row.provenRestoreSeconds ?? []);
  return [
    ...(seconds.length > 0 ? [`Slowest restore ${formatDuration(Math.max(...seconds))}`] : []),
    ...(proven.length > 0 ? [placesOf(proven)] : []),
    workers === 0 ? "no worker running" : `${plural(workers, "worker")} running`,
  ];
}

function placesOf(proven: Assessed[]): string {
  const counts = proven.map((one) => one.row.provenStored ?? 0);
  const several = counts.filter((count) => count >= 2).length;
  if (several === counts.length) return "every copy in 2 places or more";
  if (several === 0) return "every copy in 1 place";
  return `every copy in 2 places or more, except ${counts.length - several}`;
}
