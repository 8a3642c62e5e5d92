import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { orAbort } from "../../abort.ts";
import type { Access, WorkContext } from "../engine.ts";
import { connect } from "./connect.ts";

const EVERY_MS = 2_000;
/** Seconds that a statement has to run before its own progress is shown. */
const SHOW_AFTER_SECONDS = 10;
const LONGEST_QUERY = 100;

/** One backend that works for us, at one moment. */
export interface Sample {
  pid: number;
  /** Start of its statement: another one is another statement. */
  statement: string;
  query: string;
  seconds: number;
  /** What it waits for; null while it computes. */
  waitType: string | null;
  waitEvent: string | null;
  /** Who holds the lock that it waits for. */
  blockers: string | null;
  /** All that its statement counts of itself, as one text. */
  counters: string;
  /** Table whose index is being built, and how far. */
  indexed: string | null;
  blocksDone: number;
  blocksTotal: number;
  rowsDone: number;
  rowsTotal: number;
  blockBytes: number;
}

/**
 * Runs work in a database and looks at its sessions from the side meanwhile: one statement may take hours without
 * a word (an index, a digest, a check). Tells through `sign` whether any of them gets on, and through `progress`
 * how far an index is. A server that does not answer gives no sign.
 */
export async function watched<T>(access: Access, work: WorkContext, run: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const watching = watch(access, work, AbortSignal.any([work.signal, over.signal]));
  try {
    return await run();
  } finally {
    over.abort();
    await watching;
  }
}

async function watch(access: Access, work: WorkContext, over: AbortSignal): Promise<void> {
  let client: Client | null = null;
  let before: Sample[] = [];
  const hangUp = async () => {
    await client?.end().catch(() => undefined);
    client = null;
  };
  while (!over.aborted) {
    await delay(EVERY_MS, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) break;
    try {
      // A server that does not answer must not hold back what is done.
      client ??= await connect(access, { signal: over, applicationName: work.applicationName });
      const now = await orAbort(over, takeSamples(client, work.applicationName));
      tell(work, before, now);
      before = now;
    } catch {
      // Who looks on must not be in the way; what is wrong with the server shows in the work itself.
      await hangUp();
    }
  }
  await hangUp();
}

/**
 * Views of PostgreSQL 13 and later (manual, "The Cumulative Statistics System", "Progress Reporting"). What a
 * statement has read so far is in none of them: pg_stat_database and pg_stat_io move at its end only.
 */
async function takeSamples(client: Client, applicationName: string): Promise<Sample[]> {
  const { rows: found } = await client.query<{ there: boolean }>(
    "SELECT to_regclass('pg_catalog.pg_stat_progress_copy') IS NOT NULL AS there",
  );
  const copy = found[0]?.there ? "LEFT JOIN pg_catalog.pg_stat_progress_copy c ON c.pid = a.pid" : "";
  const copied = found[0]?.there ? ", c.bytes_processed, c.tuples_processed" : "";
  const { rows } = await client.query<Sample>(
    `SELECT a.pid, a.query_start::text AS statement, a.query,
       extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS seconds,
       a.wait_event_type AS "waitType", a.wait_event AS "waitEvent",
       CASE WHEN a.wait_event_type = 'Lock' THEN (
         SELECT string_agg(DISTINCT coalesce(nullif(b.application_name, ''), 'unnamed') || ' (' || b.usename || ')', ', ')
         FROM pg_catalog.pg_stat_activity b WHERE b.pid = ANY (pg_catalog.pg_blocking_pids(a.pid))) END AS blockers,
       concat_ws(' ', i.phase, i.blocks_done, i.tuples_done, i.partitions_done${copied}) AS counters,
       i.relid::regclass::text AS indexed, i.blocks_done::float8 AS "blocksDone", i.blocks_total::float8 AS "blocksTotal",
       i.tuples_done::float8 AS "rowsDone", i.tuples_total::float8 AS "rowsTotal",
       current_setting('block_size')::int AS "blockBytes"
     FROM pg_catalog.pg_stat_activity a
       LEFT JOIN pg_catalog.pg_stat_progress_create_index i ON i.pid = a.pid ${copy}
     WHERE a.application_name = $1 AND a.state = 'active' AND a.pid <> pg_catalog.pg_backend_pid()
     ORDER BY a.query_start`,
    [applicationName.slice(0, 63)],
  );
  return rows;
}

function tell(work: WorkContext, before: readonly Sample[], now: readonly Sample[]): void {
  const moving = now.filter((sample) =>
    moves(
      before.find(({ pid }) => pid === sample.pid),
      sample,
    ),
  );
  const index = moving.find(({ indexed, seconds }) => indexed !== null && seconds > SHOW_AFTER_SECONDS);
  const shown = index ? progressOf(index) : null;
  if (shown) work.progress(shown);
  if (moving.length > 0) work.sign?.({ moving: true });
  else if (now.length > 0) work.sign?.({ moving: false, why: standstill(now) });
}

/**
 * Whether a backend got on between two looks: another statement, other numbers, at work on a processor, or other
 * reads and writes than before. Waiting for a lock, a client, a timer, or for ever for the same read is none of it.
 */
export function moves(before: Sample | undefined, now: Sample): boolean {
  if (!before || before.statement !== now.statement || before.counters !== now.counters) return true;
  if (now.waitType === null) return true;
  const works = now.waitType === "IO" || now.waitType === "LWLock";
  return works && before.waitEvent !== now.waitEvent;
}

function progressOf(index: Sample): Parameters<WorkContext["progress"]>[0] | null {
  const label = `Index on ${index.indexed}`;
  if (index.rowsTotal > 0) return { label, done: index.rowsDone, total: index.rowsTotal, unit: "rows" };
  if (index.blocksTotal === 0) return null;
  const { blocksDone, blocksTotal, blockBytes } = index;
  return { label, done: blocksDone * blockBytes, total: blocksTotal * blockBytes, unit: "bytes" };
}

/** "CREATE INDEX … waits for a lock that psql (ann) holds" */
function standstill(now: readonly Sample[]): string {
  const first = now.find(({ blockers }) => blockers !== null) ?? now[0];
  if (!first) return "";
  const text = first.query.replaceAll(/\s+/g, " ").trim();
  const query = text.length > LONGEST_QUERY ? `${text.slice(0, LONGEST_QUERY)}…` : text;
  if (first.blockers !== null) return `${query} waits for a lock that ${first.blockers} holds`;
  return `${query} waits (${first.waitType}: ${first.waitEvent})`;
}
