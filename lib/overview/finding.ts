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
    "no good copy is known": " has no copy that is known to be good.",
    "no copy can be reached": " has no copy that can be reached.",
    "backing up now": " is being backed up.",
    "waits for its backup": " waits for its backup.",
    "proving now": " is being proven.",
    "waits for its proof": " waits for its proof.",
  };
  return clauses[text] ?? " needs a look.";
}

/**
 * The Overview in a sentence or two, as its cells have it; only the part that needs someone has a tone. `toCopy`:
 * databases with copies that somebody has to look at; those of others are made again by themselves.
 */
export function findingOf(
  databases: Assessed[],
  kitMissing: boolean,
  toCopy: ReadonlySet<string> = new Set(),
): Part[] {
  if (databases.length === 0) return [plain("No database is registered yet.")];
  const bad = databases.filter((one) => !one.restorable);
  const concerned = databases.filter(
    (one) =>
      one.restorable &&
      one.item.recoverable.state !== "running" &&
      (one.caveat === "run" || (one.caveat === "copies" && toCopy.has(one.item.id))),
  );
  const install = installWords(databases, kitMissing);
  if (bad.length + concerned.length === 0) return allGood(databases, install);
  const whole =
    bad.length === 0 ? allRestorable(databases) : share(databases.length - bad.length, databases.length);
  return [
    ...(whole === "" ? [] : [plain(`${whole} `)]),
    ...needy([...bad, ...concerned]),
    ...(install === "" ? [] : [{ text: ` ${capital(install)}.`, tone: "warning" as const }]),
  ];
}

function allGood(databases: Assessed[], install: string): Part[] {
  const [only] = databases;
  const one = databases.length === 1 && only ? only.item.name : null;
  if (install === "") {
    return [plain(one ? `${one} can be restored.` : `All ${databases.length} databases can be restored.`)];
  }
  const proven = one ? `${one} is proven; ` : `All ${databases.length} databases are proven; `;
  return [plain(proven), { text: `${install}.`, tone: "warning" }];
}

/** With a single one there is nothing to say before what is the matter with it. */
function allRestorable(databases: Assessed[]): string {
  return databases.length === 1 ? "" : `All ${databases.length} databases can be restored.`;
}

/** What keeps proven databases amber and concerns the install: where the copies lie, and the kit. */
function installWords(databases: Assessed[], kitMissing: boolean): string {
  const here = onlyHere(databases);
  const proven = databases.filter((one) => one.row.provenId !== null);
  const [only] = here;
  const offHost =
    here.length === 0
      ? null
      : here.length === proven.length
        ? "no copy is off this host yet"
        : here.length === 1 && only
          ? `${only.item.name} has no copy off this host`
          : `${here.length} have no copy off this host`;
  const kit = kitMissing ? "no recovery kit has been confirmed" : null;
  return [offHost, kit].filter((words) => words !== null).join(", and ");
}

/** Proven ones all of whose good copies lie on this host. */
export function onlyHere(databases: Assessed[]): Assessed[] {
  return databases.filter(({ row }) => row.provenId !== null && row.provenOffHost === false);
}

function share(good: number, all: number): string {
  if (all === 1) return "The one database can't be restored yet.";
  if (good === 0) return `None of ${all} databases can be restored yet.`;
  return `${good} of ${all} databases can be restored.`;
}

function needy(databases: Assessed[]): Part[] {
  const [first, second] = [...databases].sort((a, b) => rank(b) - rank(a));
  if (!first) return [];
  const name = (one: Assessed): Part => ({ text: one.item.name, tone: toneOf(one) });
  if (!second) return [name(first), plain(caveatClause(first) ?? clauseOf(first.item.recoverable.text))];
  if (databases.length === 2) return [name(first), plain(" and "), name(second), plain(" need attention.")];
  return [{ text: `${databases.length} databases`, tone: toneOf(first) }, plain(" need attention.")];
}

/** What is the matter with one that can be restored, other than its age, which its text says. */
function caveatClause({ caveat, row, item }: Assessed): string | null {
  if (caveat === "copies") return `: ${item.recoverable.detail}.`;
  if (caveat !== "run") return null;
  const failed = row.failedBackupAt !== null;
  return failed ? " has a newer backup that failed." : " has a newer backup that could not be verified.";
}

function rank(one: Assessed): number {
  return { problem: 3, warning: 2, unknown: 1, running: 0, ok: 0 }[one.item.recoverable.state];
}

function toneOf(one: Assessed): Part["tone"] {
  return one.item.recoverable.state === "problem" ? "problem" : "warning";
}

/** The words as a sentence's beginning; names stay as they are. */
function capital(words: string): string {
  return words.startsWith("no ") ? `N${words.slice(1)}` : words;
}

/** Short facts below the finding: the slowest restore, in how many places copies lie, 3-2-1, who is working. */
export function factsOf(databases: Assessed[], workers: number): string[] {
  const proven = databases.filter((one) => one.row.provenId !== null);
  const seconds = proven.flatMap((one) => one.row.provenRestoreSeconds ?? []);
  return [
    ...(seconds.length > 0 ? [`Slowest restore ${formatDuration(Math.max(...seconds))}`] : []),
    ...(proven.length > 0 ? [placesOf(proven)] : []),
    ...threeTwoOneOf(databases),
    workers === 0 ? "no worker running" : `${plural(workers, "worker")} running`,
  ];
}

/** Nothing while it holds nowhere: what it lacks is said elsewhere. */
function threeTwoOneOf(databases: Assessed[]): string[] {
  const holds = databases.filter(({ item }) => item.copies?.lacks.length === 0).length;
  if (holds === 0) return [];
  return [
    holds === databases.length ? "3-2-1 holds for all" : `3-2-1 holds for ${holds} of ${databases.length}`,
  ];
}

function placesOf(proven: Assessed[]): string {
  const counts = proven.map((one) => one.row.provenCopies?.stored ?? 0);
  const several = counts.filter((count) => count >= 2).length;
  if (several === counts.length) return "every copy in 2 places or more";
  if (several === 0) return "every copy in 1 place";
  return `every copy in 2 places or more, except ${counts.length - several}`;
}
