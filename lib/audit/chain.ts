import { createHmac } from "node:crypto";
import type { Ctx } from "../context.ts";
import type { Db, Tx } from "../db/client.ts";
import { emitEvent } from "../events/emit.ts";

/** Advisory lock that makes the chainer one, whichever process runs it. */
const CHAIN_LOCK = 7_230_002;
const BATCH = 500;

/** What the first link stands on. */
export const CHAIN_START = "holdfast audit chain 1";

export interface ChainHead {
  /** Decimal text of a bigint; the first link is "1". */
  seq: string;
  /** HMAC-SHA256, base64url. */
  hash: string;
}

/** HMAC-SHA256 over the previous hash, the link's number and the event's canonical text. */
export function linkHash(key: Buffer, previous: string, seq: bigint, canonical: string): string {
  return createHmac("sha256", key).update(`${previous}\n${seq}\n${canonical}`).digest("base64url");
}

/** The newest link, for manifests; null while nothing is chained. */
export async function chainHead(db: Pick<Tx, "auditLink">): Promise<ChainHead | null> {
  const head = await db.auditLink.findFirst({ orderBy: { seq: "desc" } });
  return head ? { seq: head.seq.toString(), hash: head.hash } : null;
}

interface Pending {
  id: string;
  canonical: string;
}

/**
 * Appends links for committed events, oldest transaction first, until none is left. An event counts once every
 * transaction that could still add an older one has ended: its xid is below the snapshot's xmin. Events from
 * `since` on are looked at; without it, all. Returns how many were linked, or null when another process is at it.
 */
export async function appendLinks(db: Db, auditKey: Buffer, since?: Date): Promise<number | null> {
  let linked = 0;
  for (;;) {
    const batch = await db.$transaction((tx) => appendBatch(tx, auditKey, since));
    if (batch === null) return linked > 0 ? linked : null;
    linked += batch;
    if (batch < BATCH) return linked;
  }
}

async function appendBatch(tx: Tx, auditKey: Buffer, since: Date | undefined): Promise<number | null> {
  const [lock] = await tx.$queryRaw<{ held: boolean }[]>`
    SELECT pg_try_advisory_xact_lock(${CHAIN_LOCK}) AS held`;
  if (!lock?.held) return null;
  const head = await tx.auditLink.findFirst({ orderBy: { seq: "desc" } });
  // An xid from the future comes with a database that was restored into another cluster: its writer is gone.
  const pending = await tx.$queryRaw<Pending[]>`
    SELECT e.id, e.canonical FROM audit_event e
    WHERE e.at >= ${since ?? new Date(0)}
      AND NOT EXISTS (SELECT FROM audit_link l WHERE l.event_id = e.id)
      AND (e.xid::xid8 < pg_snapshot_xmin(pg_current_snapshot())
        OR e.xid::xid8 >= pg_snapshot_xmax(pg_current_snapshot()))
    ORDER BY e.xid::xid8, e.id LIMIT ${BATCH}`;
  let seq = head?.seq ?? 0n;
  let hash = head?.hash ?? CHAIN_START;
  const links = pending.map((event) => {
    seq += 1n;
    hash = linkHash(auditKey, hash, seq, event.canonical);
    return { seq, eventId: event.id, hash };
  });
  if (links.length > 0) {
    await tx.auditLink.createMany({ data: links });
    await emitEvent(tx, "audit");
  }
  return links.length;
}

const TICK_MS = 2000;
/** Ticks look back this far; a whole pass each hour finds what a long transaction or a wrong clock left. */
const WINDOW_MS = 3_600_000;

export interface ChainerOptions {
  auditKey: Buffer;
  /** Ends the chainer after the tick it is in. */
  signal: AbortSignal;
  tickMs?: number;
}

/**
 * Runs the chainer until the signal aborts; web and worker both do, and the lock lets one work at a time. A
 * failing tick is logged and tried again at the next one.
 */
export async function runChainer(
  ctx: Pick<Ctx, "db" | "clock" | "log">,
  options: ChainerOptions,
): Promise<void> {
  let wholePassAt = 0;
  while (!options.signal.aborted) {
    const now = ctx.clock.now().getTime();
    const whole = now - wholePassAt >= WINDOW_MS;
    try {
      const since = whole ? undefined : new Date(now - WINDOW_MS);
      const linked = await appendLinks(ctx.db, options.auditKey, since);
      if (whole && linked !== null) wholePassAt = now;
    } catch (error) {
      ctx.log.error({ err: error }, "audit chain: a tick failed");
    }
    await pause(options.tickMs ?? TICK_MS, options.signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
