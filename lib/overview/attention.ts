import type { Assessed } from "../databases/database-row.ts";
import type { Attention } from "./schema.ts";

export interface DamagedCopies {
  databaseId: string;
  backupId: string;
  copies: number;
  since: Date | null;
}

export interface AttentionFacts {
  databases: Assessed[];
  damaged: DamagedCopies[];
  /** Destinations that failed their last check. */
  destinations: { name: string; error: string; since: Date | null }[];
  /** Pools that databases belong to and no worker serves. */
  idlePools: string[];
  workers: number;
  kit: "confirmed" | "unconfirmed" | "none";
}

/** Everything that needs a person, problems first; what concerns all databases comes before single ones. */
export function attentionOf(facts: AttentionFacts): Attention[] {
  const items = [
    ...workerItems(facts),
    ...facts.destinations.map(destinationItem),
    ...facts.databases.flatMap(databaseItems),
    ...facts.damaged.flatMap((damaged) => damagedItem(damaged, facts.databases)),
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

function databaseItems({ item, row, restorable }: Assessed): Attention[] {
  const items: Attention[] = [];
  const { recoverable: promise, name, environment } = item;
  // Amber for want of a kit or a copy elsewhere concerns the install and is told once.
  const concerns =
    promise.state === "problem" || (promise.state !== "running" && !restorable) || isCaveat(row, promise);
  if (concerns) {
    items.push({
      id: `recoverable:${item.id}`,
      severity: promise.state === "problem" ? "problem" : "warning",
      title: `${name}: ${promise.text}`,
      detail: promise.detail ?? detailFor(promise.text),
      since: sinceOf(row),
      environment,
      action: actionFor(promise.text, promise.href ?? `/databases/${name}`, name),
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

/** Restorable, with something against it that is this database's own. */
function isCaveat(row: Assessed["row"], promise: Assessed["item"]["recoverable"]): boolean {
  if (promise.state !== "warning") return false;
  const newer = (at: Date | null) => at !== null && (row.provenDataAt === null || at >= row.provenDataAt);
  return promise.text.startsWith("not proven") || newer(row.failedBackupAt) || newer(row.unverifiableAt);
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

function actionFor(text: string, href: string, name: string): Attention["action"] {
  if (text === "never backed up") return { label: "Back up", href: `/databases/${name}` };
  if (text === "never proven" && href.startsWith("/backups/")) return { label: "Prove", href };
  if (href.startsWith("/backups/")) return { label: "See why", href };
  return { label: "Open it", href };
}

function damagedItem(damaged: DamagedCopies, databases: Assessed[]): Attention[] {
  const owner = databases.find((one) => one.item.id === damaged.databaseId);
  if (!owner) return [];
  const { item } = owner;
  const href = `/backups/${damaged.backupId}`;
  // A promise that is red for this very backup says it already.
  if (damaged.copies === 1 && item.recoverable.state === "problem" && item.recoverable.href === href)
    return [];
  const many = damaged.copies > 1;
  return [
    {
      id: `copies:${item.id}`,
      severity: "problem",
      title: `${item.name}: ${many ? `${damaged.copies} copies are` : "a copy is"} missing or altered`,
      detail: many ? "The newest such backup is shown." : "What is stored is not what was written.",
      since: damaged.since?.toISOString() ?? null,
      environment: item.environment,
      action: { label: "See which", href },
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
