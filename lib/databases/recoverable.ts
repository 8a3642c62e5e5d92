import { formatDuration, formatRelative } from "../format.ts";
import type { PromiseState } from "./schema.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A newly registered database is not a problem yet. */
const GRACE_MS = DAY_MS;
/** Proven data older than this is stale: amber, and after a month red. */
const STALE_MS = 7 * DAY_MS;
const TOO_OLD_MS = 30 * DAY_MS;

/** A backup as far as the promise needs it. `at` is the moment of its data. */
export interface BackupFact {
  id: string;
  at: Date;
}

/** Copies of one backup by what is known of them. */
export interface CopyCounts {
  stored: number;
  missing: number;
  altered: number;
  unreachable: number;
  /** Never made. */
  failed: number;
}

/** Everything that the promise is computed from. "Newest" is by the moment of the data. */
export interface RecoverableFacts {
  now: Date;
  registeredAt: Date;
  /** Newest complete or partial backup. */
  lastGood: BackupFact | null;
  /** Newest proven backup. */
  lastProven:
    | (BackupFact & {
        provenAt: Date;
        byCount: boolean;
        restoreSeconds: number | null;
        copies: CopyCounts;
        /** A stored copy lies on another host. */
        offHost: boolean;
      })
    | null;
  /** Newest backup whose proof failed, and newest that could not be verified. */
  lastFailedProof: (BackupFact & { reason: string | null }) | null;
  lastUnverifiable: (BackupFact & { reason: string | null }) | null;
  /** Newest backup that ended without being good; one that somebody cancelled does not count. */
  lastFailedBackup: (BackupFact & { reason: string | null }) | null;
  running: { operationId: string; doing: "backup" | "proof"; queued: boolean } | null;
  /** The recovery kit is confirmed, or backups are not encrypted. */
  kitConfirmed: boolean;
}

export interface Recoverable {
  promise: PromiseState;
  /** Whether it counts as restorable in the Overview's finding: proven lately, and nothing speaks against it. */
  restorable: boolean;
  /**
   * What has to be said against a restorable one that is its own: a newer run that failed, or its copies. Null when there is nothing but what concerns the whole install.
   */
  caveat: "run" | "copies" | null;
}

/** How the promise "can we get it back?" stands. Only a fresh proof without any caveat is `ok`. */
export function recoverable(facts: RecoverableFacts): Recoverable {
  const standing = withoutRunning(facts);
  const { lastProven } = facts;
  const fresh = lastProven !== null && facts.now.getTime() - lastProven.at.getTime() <= STALE_MS;
  const restorable = fresh && (standing.state === "ok" || standing.state === "warning");
  return {
    promise: facts.running ? inProgress(facts, facts.running, standing) : standing,
    restorable,
    caveat: restorable ? ownCaveat(facts, lastProven) : null,
  };
}

function ownCaveat(facts: RecoverableFacts, proven: Proven): Recoverable["caveat"] {
  if (runCaveat(facts, proven) !== null) return "run";
  return copiesCaveat(proven.copies) === null ? null : "copies";
}

function inProgress(
  facts: RecoverableFacts,
  running: NonNullable<RecoverableFacts["running"]>,
  standing: PromiseState,
): PromiseState {
  const now = running.doing === "proof" ? "proving now" : "backing up now";
  const waiting = running.doing === "proof" ? "waits for its proof" : "waits for its backup";
  const { lastProven } = facts;
  const took = lastProven?.restoreSeconds == null ? "" : `, ${formatDuration(lastProven.restoreSeconds)}`;
  return {
    state: "running",
    text: running.queued ? waiting : now,
    detail:
      lastProven && standing.state !== "problem" ? `${provenText(facts, lastProven)}${took}` : standing.text,
    href: `/operations/${running.operationId}`,
  };
}

type Proven = NonNullable<RecoverableFacts["lastProven"]>;

function withoutRunning(facts: RecoverableFacts): PromiseState {
  const { lastProven, lastFailedProof } = facts;
  if (!facts.lastGood && !lastProven) return neverBackedUp(facts);
  if (lastFailedProof && !isOlder(lastFailedProof, lastProven)) return proofFailed(facts, lastFailedProof);
  if (!lastProven) return notProven(facts);
  if (lastProven.copies.stored === 0) return noGoodCopy(lastProven);
  const age = facts.now.getTime() - lastProven.at.getTime();
  if (age > STALE_MS) return stale(facts, lastProven, age);
  return provenState(facts, lastProven);
}

function neverBackedUp(facts: RecoverableFacts): PromiseState {
  const { lastFailedBackup } = facts;
  if (lastFailedBackup)
    return problem("never backed up", failedBackup(lastFailedBackup.reason), lastFailedBackup.id);
  const waited = facts.now.getTime() - facts.registeredAt.getTime();
  return {
    state: waited > GRACE_MS ? "problem" : "unknown",
    text: "never backed up",
    detail: null,
    href: null,
  };
}

function proofFailed(facts: RecoverableFacts, failed: { id: string; reason: string | null }): PromiseState {
  return problem(unprovenText(facts), failed.reason ?? "no reason given", failed.id);
}

/** There is a good backup, and none was ever proven. */
function notProven(facts: RecoverableFacts): PromiseState {
  const { lastGood, lastUnverifiable, lastFailedBackup } = facts;
  const evidence = lastUnverifiable ?? lastGood;
  const href = evidence && `/backups/${evidence.id}`;
  if (lastUnverifiable) {
    return { state: "warning", text: "could not be verified", detail: lastUnverifiable.reason, href };
  }
  const waited = lastGood ? facts.now.getTime() - lastGood.at.getTime() : 0;
  const backedUp = lastGood && `backed up ${ago(lastGood.at, facts.now)}`;
  const failed = lastFailedBackup && !isOlder(lastFailedBackup, lastGood);
  return {
    state: waited > STALE_MS ? "problem" : "warning",
    text: "never proven",
    detail: failed ? failedBackup(lastFailedBackup.reason) : backedUp,
    href,
  };
}

function stale(facts: RecoverableFacts, proven: Proven, age: number): PromiseState {
  const { lastFailedBackup, lastUnverifiable } = facts;
  const detail =
    lastFailedBackup && !isOlder(lastFailedBackup, proven)
      ? failedBackup(lastFailedBackup.reason)
      : lastUnverifiable && !isOlder(lastUnverifiable, proven)
        ? `newest could not be verified: ${lastUnverifiable.reason ?? "no reason given"}`
        : `newest proven data is ${span(proven.at, facts.now)} old`;
  return {
    state: age > TOO_OLD_MS ? "problem" : "warning",
    text: unprovenText(facts),
    detail,
    href: `/backups/${proven.id}`,
  };
}

/** Proven and fresh: `ok` unless something has to be said against it. */
function provenState(facts: RecoverableFacts, proven: Proven): PromiseState {
  const caveat = caveatOf(facts, proven);
  const restores =
    proven.restoreSeconds === null ? null : `restores in ${formatDuration(proven.restoreSeconds)}`;
  return {
    state: caveat ? "warning" : "ok",
    text: provenText(facts, proven),
    detail: caveat ?? restores,
    href: `/backups/${proven.id}`,
  };
}

/** No copy of the proven backup is known to be good: what is known of each kind is said as it is. */
function noGoodCopy({ id, copies }: Proven): PromiseState {
  const gone = copies.missing + copies.altered;
  const text =
    gone === 0 && copies.unreachable > 0
      ? "no copy can be reached"
      : copies.unreachable > 0
        ? "no good copy is known"
        : "no copy is left";
  const total = gone + copies.unreachable + copies.failed;
  const kinds = STATES.filter((state) => copies[state] > 0);
  const [only] = kinds;
  if (kinds.length === 1 && only) {
    const subject = total === 1 ? "the only copy" : `all ${total} copies`;
    return problem(text, `${subject} ${total === 1 ? WAS[only] : WERE[only]}`, id);
  }
  const parts = kinds.map((state) => `${copies[state]} ${copies[state] === 1 ? WAS[state] : WERE[state]}`);
  return problem(text, `of ${total} copies ${parts.join(", ")}`, id);
}

const STATES = ["altered", "missing", "unreachable", "failed"] as const;
const WAS = {
  altered: "was altered",
  missing: "is missing",
  unreachable: "could not be reached",
  failed: "was not made",
};
const WERE = {
  altered: "were altered",
  missing: "are missing",
  unreachable: "could not be reached",
  failed: "were not made",
};

/** What is wrong with copies beside good ones; null when nothing is. */
function copiesCaveat(copies: CopyCounts): string | null {
  const kinds = STATES.filter((state) => copies[state] > 0);
  const [only, other] = kinds;
  if (!only) return null;
  const bad = kinds.reduce((sum, state) => sum + copies[state], 0);
  if (other) return `${bad} copies are not good`;
  return bad === 1 ? `a copy ${WAS[only]}` : `${bad} copies ${WERE[only]}`;
}

function caveatOf(facts: RecoverableFacts, proven: Proven): string | null {
  const own = runCaveat(facts, proven) ?? copiesCaveat(proven.copies);
  if (own !== null) return own;
  if (!facts.kitConfirmed && !proven.offHost) return "recovery kit not confirmed, no copy off this host";
  if (!facts.kitConfirmed) return "recovery kit not confirmed";
  return proven.offHost ? null : "no copy off this host";
}

/** A newer backup that failed or could not be verified. */
function runCaveat(facts: RecoverableFacts, proven: Proven): string | null {
  const { lastFailedBackup, lastUnverifiable } = facts;
  if (lastFailedBackup && !isOlder(lastFailedBackup, facts.lastGood))
    return failedBackup(lastFailedBackup.reason);
  if (lastUnverifiable && !isOlder(lastUnverifiable, proven)) {
    return `newest could not be verified: ${lastUnverifiable.reason ?? "no reason given"}`;
  }
  return null;
}

function provenText(facts: RecoverableFacts, proven: Proven): string {
  return `${proven.byCount ? "proven by count" : "proven"} ${ago(proven.provenAt, facts.now)}`;
}

/** "not proven for 9 days"; within the first day it is the failure that matters. */
function unprovenText(facts: RecoverableFacts): string {
  const { lastProven, now } = facts;
  const since = lastProven?.at;
  // Without one that is proven still there may have been one that was.
  if (!since || now.getTime() - since.getTime() < DAY_MS) return "last proof failed";
  return `not proven for ${span(since, now)}`;
}

function failedBackup(reason: string | null): string {
  return reason ? `last backup failed: ${reason}` : "last backup failed";
}

function problem(text: string, detail: string | null, backupId: string): PromiseState {
  return { state: "problem", text, detail, href: `/backups/${backupId}` };
}

function isOlder(fact: BackupFact, than: BackupFact | null): boolean {
  return than !== null && fact.at < than.at;
}

function ago(at: Date, now: Date): string {
  return formatRelative(Math.min(at.getTime(), now.getTime()), now.getTime());
}

function span(at: Date, now: Date): string {
  return ago(at, now).replace(/ ago$/, "");
}
