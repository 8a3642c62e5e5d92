import type { Assessed } from "../databases/database-row.ts";
import { onlyHere } from "./finding.ts";
import { type PolicyFacts, policyItems } from "./policy-attention.ts";
import type { Attention } from "./schema.ts";

/** Copies of a database's backups that were found missing or altered; `backupId` is the newest such backup. */
export interface DamagedCopies {
  databaseId: string;
  backupId: string;
  missing: number;
  altered: number;
  since: Date | null;
}

/** A copy of a database's newest backup that is not there, or not known to be, and nobody is making again. */
export interface LackingCopy {
  databaseId: string;
  backupId: string;
  destination: string;
  state: "failed" | "unreachable";
  reason: string | null;
  since: Date | null;
}

export interface AttentionFacts {
  databases: Assessed[];
  damaged: DamagedCopies[];
  lacking: LackingCopy[];
  /** Destinations that failed their last check. */
  destinations: { name: string; error: string; since: Date | null }[];
  /** Pools that databases belong to and no worker serves. */
  idlePools: string[];
  workers: number;
  kit: "confirmed" | "unconfirmed" | "none";
  plans: PolicyFacts;
}

/** Everything that needs a person, problems first; what concerns all databases comes before single ones. */
export function attentionOf(facts: AttentionFacts): Attention[] {
  const items = [
    ...workerItems(facts),
    ...facts.destinations.map(destinationItem),
    ...facts.databases.flatMap(databaseItems),
    ...facts.damaged.flatMap((damaged) => damagedItem(damaged, facts.databases)),
    ...facts.lacking.flatMap((lacking) => lackingItem(lacking, facts.databases)),
    ...policyItems(facts.plans),
    ...offHostItem(facts.databases),
    ...kitItem(facts.kit),
  ];
  return items.toSorted((a, b) => Number(b.severity === "problem") - Number(a.severity === "problem"));
}

function workerItems({ workers, idlePools }: AttentionFacts): Attention[] {
  const action = { label: "Look at the workers", href: "/settings/workers" };
  const common = { severity: "problem" as const, since: null, environment: null, action };
  if (workers === 0) {
    const detail = "Nothing is backed up or proven until one is up.";
    return [{ ...common, id: "workers", title: "No worker is running", detail }];
  }
  return idlePools.map((pool) => ({
    ...common,
    id: `pool:${pool}`,
    title: `No worker serves the pool ${pool}`,
    detail: "Its databases are not backed up until one does.",
  }));
}

function destinationItem({ name, error, since }: AttentionFacts["destinations"][number]): Attention {
  return {
    id: `destination:${name}`,
    severity: "problem",
    title: `The destination ${name} can't be used`,
    detail: error,
    since: since?.toISOString() ?? null,
    environment: null,
    action: { label: "Look at it", href: "/settings/destinations" },
  };
}

function databaseItems({ item, row, restorable, caveat }: Assessed): Attention[] {
  const items: Attention[] = [];
  const { recoverable: promise, name, environment } = item;
  // Amber for want of a kit or a copy elsewhere concerns the install and is told once; copies have items of their own.
  const own = promise.state === "warning" && caveat === "run";
  const concerns = promise.state === "problem" || (promise.state !== "running" && !restorable) || own;
  if (concerns) {
    items.push({
      id: `recoverable:${item.id}`,
      severity: promise.state === "problem" ? "problem" : "warning",
      title: `${name}: ${promise.text}`,
      detail: promise.detail ?? detailFor(promise.text),
      since: sinceOf(row),
      environment,
      action: actionFor(item),
    });
  }
  if (row.probeError !== null && row.probedAt) {
    items.push({
      id: `probe:${item.id}`,
      severity: "warning",
      title: `${name} could not be reached`,
      detail: row.probeError,
      since: row.probedAt.toISOString(),
      environment,
      action: { label: "Open it", href: `/databases/${name}` },
    });
  }
  return items;
}

function detailFor(text: string): string {
  return text === "never backed up" ? "Nothing of it could be restored." : "";
}

/** When what speaks against it happened: the newest of the failures since the proven backup. */
function sinceOf(row: Assessed["row"]): string {
  const failures = [row.failedProofAt, row.unverifiableAt, row.failedBackupAt].filter(
    (at) => at !== null && (row.provenDataAt === null || at >= row.provenDataAt),
  );
  const newest = failures.toSorted((a, b) => Number(b) - Number(a))[0];
  return (newest ?? row.provenDataAt ?? row.goodAt ?? row.createdAt).toISOString();
}

function actionFor({ name, recoverable: { text, href } }: Assessed["item"]): Attention["action"] {
  const page = `/databases/${name}`;
  if (text === "never backed up" || !href) return { label: "Back up…", href: page };
  // A proof that failed would fail again.
  if (text === "never proven") return { label: "Prove…", href };
  if (href.startsWith("/backups/")) return { label: "See why", href };
  return { label: "Open it", href };
}

function damagedItem(damaged: DamagedCopies, databases: Assessed[]): Attention[] {
  const { missing, altered } = damaged;
  const owner = databases.find((one) => one.item.id === damaged.databaseId);
  if (!owner) return [];
  const { item } = owner;
  const href = `/backups/${damaged.backupId}`;
  const copies = missing + altered;
  // A promise that is red for this very backup says it already.
  if (copies === 1 && item.recoverable.state === "problem" && item.recoverable.href === href) return [];
  const states = [altered > 0 ? "altered" : null, missing > 0 ? "missing" : null]
    .filter(Boolean)
    .join(" or ");
  const subject = copies > 1 ? `${copies} copies are` : "a copy is";
  const what =
    missing === 0 ? "What is stored is not what was written." : "What was written is not there any more.";
  return [
    {
      id: `copies:${item.id}`,
      severity: "problem",
      title: `${item.name}: ${subject} ${states}`,
      detail: copies > 1 ? "The newest such backup is shown." : what,
      since: damaged.since?.toISOString() ?? null,
      environment: item.environment,
      action: { label: "See which", href },
    },
  ];
}

function lackingItem(lacking: LackingCopy, databases: Assessed[]): Attention[] {
  const owner = databases.find((one) => one.item.id === lacking.databaseId);
  if (!owner) return [];
  const { item } = owner;
  const href = `/backups/${lacking.backupId}`;
  // A promise that is red for this very backup says it already.
  if (item.recoverable.state === "problem" && item.recoverable.href === href) return [];
  const made = lacking.state === "failed" ? "could not be made" : "could not be reached";
  return [
    {
      id: `lacking:${lacking.backupId}:${lacking.destination}`,
      severity: "warning",
      title: `${item.name}: the copy at ${lacking.destination} ${made}`,
      detail: lacking.reason ?? "",
      since: lacking.since?.toISOString() ?? null,
      environment: item.environment,
      action: { label: "Open the backup", href },
    },
  ];
}

/** Told once, however many databases it concerns. */
function offHostItem(databases: Assessed[]): Attention[] {
  const here = onlyHere(databases);
  if (here.length === 0) return [];
  const all = here.length === databases.filter(({ row }) => row.provenId !== null).length;
  const [only] = here;
  const title = all
    ? "No copy is off this host"
    : here.length === 1 && only
      ? `${only.item.name} has no copy off this host`
      : `${here.length} databases have no copy off this host`;
  return [
    {
      id: "off-host",
      severity: "warning",
      title,
      detail: "If this machine is lost, these backups are lost with it. Keep one copy on another machine.",
      since: null,
      environment: null,
      action: { label: "Look at the destinations", href: "/settings/destinations" },
    },
  ];
}

function kitItem(kit: AttentionFacts["kit"]): Attention[] {
  if (kit === "confirmed") return [];
  return [
    {
      id: "recovery-kit",
      severity: "warning",
      title: kit === "none" ? "There is no recovery kit" : "The recovery kit is not confirmed",
      detail: "If this server and its keys are lost, only the kit opens the backups.",
      since: null,
      environment: null,
      action: { label: kit === "none" ? "Make the kit" : "Confirm it", href: "/setup/recovery-kit" },
    },
  ];
}
