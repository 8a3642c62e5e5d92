import type { Client } from "pg";
import type { EngineFinding, ServerInfo } from "../engine.ts";
import { listExtensions } from "./list-tables.ts";

const CLOCK_WARNING_S = 30;
const POOLER_PORTS = [6432, 6543];

/** How the server is: standby, sizes, locks, clock. */
export async function findServerState(client: Client, info: ServerInfo): Promise<EngineFinding[]> {
  return [
    await findClock(client),
    await findStandby(client),
    await findTransactions(client),
    await findLockTable(client),
    await findUnlogged(client),
    await findExtensions(client),
    findSize(info),
  ];
}

async function findClock(client: Client): Promise<EngineFinding> {
  const before = Date.now();
  const { rows } = await client.query<{ at: string }>(
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS at",
  );
  const skew = (Number(rows[0]?.at ?? 0) - (before + Date.now()) / 2) / 1000;
  const finding = {
    id: "clock",
    title: "Clock",
    why: "Times of backups, schedules and retention are this machine's; data carries the server's.",
  };
  const apart = `${Math.abs(skew).toFixed(Math.abs(skew) < 10 ? 1 : 0)} s`;
  if (Math.abs(skew) < CLOCK_WARNING_S) {
    return { ...finding, state: "ok", detail: `The server's clock and this machine's differ by ${apart}.` };
  }
  const detail = `The server's clock is ${apart} ${skew > 0 ? "ahead of" : "behind"} this machine's.`;
  return { ...finding, state: "warning", detail };
}

async function findStandby(client: Client): Promise<EngineFinding> {
  const { rows } = await client.query<{ standby: boolean; feedback: boolean }>(`
    SELECT pg_catalog.pg_is_in_recovery() AS standby, current_setting('hot_standby_feedback') = 'on' AS feedback`);
  const finding = {
    id: "standby",
    title: "Primary or standby",
    why: "A standby cancels long reads that its primary's clean-up is in the way of, and has no unlogged tables.",
  };
  if (!rows[0]?.standby) return { ...finding, state: "ok", detail: "This is a primary server." };
  if (rows[0].feedback) {
    const detail =
      "This is a standby with hot_standby_feedback: unlogged tables are left out of its backups.";
    return { ...finding, state: "warning", detail };
  }
  return {
    ...finding,
    state: "warning",
    detail: "This is a standby without hot_standby_feedback: a long backup may be cancelled by it.",
    sql: "ALTER SYSTEM SET hot_standby_feedback = on;\nSELECT pg_reload_conf();",
  };
}

async function findTransactions(client: Client): Promise<EngineFinding> {
  const { rows } = await client.query<{ locked: string[] | null; prepared: number; long: number }>(`
    SELECT (SELECT array_agg(l.relation::regclass::text) FROM pg_catalog.pg_locks l
        WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted AND l.relation >= 16384
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())) AS locked,
      (SELECT count(*)::int FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()) AS prepared,
      (SELECT count(*)::int FROM pg_catalog.pg_stat_activity WHERE datname = current_database()
        AND xact_start < now() - interval '1 hour') AS long`);
  const { locked = null, prepared = 0, long = 0 } = rows[0] ?? {};
  const finding = {
    id: "locks",
    title: "Locks and long transactions",
    why: "A dump waits for tables that are locked against reading, and gives up after the lock wait limit.",
  };
  const found = [
    locked ? `Locked now: ${locked.slice(0, 5).join(", ")}.` : null,
    prepared > 0 ? `${prepared} prepared transactions are open and may hold locks for ever.` : null,
    long > 0 ? `${long} transactions run for more than an hour.` : null,
  ].filter((text) => text !== null);
  if (found.length === 0) return { ...finding, state: "ok", detail: "Nothing is in the way of a dump now." };
  return { ...finding, state: "warning", detail: found.join(" ") };
}

async function findLockTable(client: Client): Promise<EngineFinding> {
  const { rows } = await client.query<{ tables: number; room: number }>(`
    SELECT (SELECT count(*)::int FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p') AND relnamespace >= 16384
        OR relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace) AS tables,
      current_setting('max_locks_per_transaction')::int
        * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) AS room`);
  const { tables = 0, room = 0 } = rows[0] ?? {};
  const finding = {
    id: "lock-table",
    title: "Room in the lock table",
    why: "A dump locks every table at once, against changes of its shape.",
  };
  if (tables < room)
    return { ...finding, state: "ok", detail: `${tables} tables, room for about ${room} locks.` };
  const needed = Math.ceil((tables * 1.5) / Math.max(1, room / 64));
  return {
    ...finding,
    state: "problem",
    detail: `${tables} tables, and room for about ${room} locks only.`,
    sql: `ALTER SYSTEM SET max_locks_per_transaction = ${Math.max(128, needed)}; -- needs a restart`,
  };
}

async function findUnlogged(client: Client): Promise<EngineFinding> {
  const { rows } = await client.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_catalog.pg_class WHERE relpersistence = 'u' AND relkind = 'r'",
  );
  const n = rows[0]?.n ?? 0;
  const why = "The server empties unlogged tables after a crash; backups have what was in them.";
  const detail = n === 0 ? "There are none." : `${n} unlogged tables are backed up and compared like others.`;
  return { id: "unlogged", title: "Unlogged tables", state: "ok", detail, why };
}

async function findExtensions(client: Client): Promise<EngineFinding> {
  const extensions = await listExtensions(client);
  const names = extensions.map(({ name, version }) => `${name} ${version}`).join(", ");
  return {
    id: "extensions",
    title: "Extensions",
    state: "ok",
    detail: names === "" ? "None are in use." : `In use: ${names}.`,
    why: "A server that a backup is restored on needs the same extensions; a proof without them can't be made.",
  };
}

function findSize(info: ServerInfo): EngineFinding {
  const why =
    "A parallel restore keeps the dump in the worker's temporary folder; room is checked before each.";
  const base = { id: "size", title: "Size", why };
  if (info.sizeBytes === null) return { ...base, state: "unknown", detail: "The size can't be read." };
  return { ...base, state: "ok", detail: `${(info.sizeBytes / 1e6).toFixed(0)} MB on the server's disk.` };
}

/**
 * Whether a pooler is in between, and in which mode: it makes up its own process number for the connection,
 * and in transaction mode the next transaction may run in another backend.
 */
export async function findPooler(client: Client, port: number): Promise<EngineFinding> {
  const announced = (client as unknown as { processID?: number | null }).processID ?? null;
  const pids = new Set<number>();
  for (let i = 0; i < 5; i++) {
    const { rows } = await client.query<{ pid: number }>("SELECT pg_catalog.pg_backend_pid() AS pid");
    pids.add(rows[0]?.pid ?? 0);
  }
  const finding = {
    id: "pooler",
    title: "Direct connection",
    why: "A dump needs one session with its settings and snapshot; a pooler in transaction mode gives parts of several.",
  };
  if (pids.size > 1) {
    const detail =
      "A pooler in transaction mode is in between. Connect to the server's own port (often 5432).";
    return { ...finding, state: "problem", detail };
  }
  const [pid] = pids;
  if (announced !== null && announced !== pid) {
    const detail =
      "A pooler seems to be in between. It must be in session mode; a direct connection is safer.";
    return { ...finding, state: "warning", detail };
  }
  if (POOLER_PORTS.includes(port)) {
    const detail = `Port ${port} is usually a pooler's. Use the server's own port if it is one.`;
    return { ...finding, state: "warning", detail };
  }
  return { ...finding, state: "ok", detail: "No pooler was noticed." };
}
