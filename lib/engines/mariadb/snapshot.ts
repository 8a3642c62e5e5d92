import { setTimeout as delay } from "node:timers/promises";
import { HoldfastError } from "../../errors.ts";
import type { WorkContext } from "../engine.ts";
import type { TableInfo } from "./catalog.ts";
import type { Session } from "./connect.ts";
import { isDenied, numberOf } from "./connect-errors.ts";
import { quoteIdentifier } from "./quote.ts";

const LOCK_WAIT_TIMEOUT = 1205;
const NO_SUCH_TABLE = 1146;
const ATTEMPTS = 3;
const PAUSE_MS = 1_000;

/** Output settings under which equal values have equal text, whatever the server's defaults are. */
export async function pinSettings(session: Session): Promise<void> {
  await session.run("SET SESSION sql_mode = '', time_zone = '+00:00', group_concat_max_len = 1048576");
  await session.run("SET SESSION wait_timeout = 86400, net_write_timeout = 3600, net_read_timeout = 3600");
  await session.run(session.flavour.statementLimit(0));
  // MariaDB's; MySQL has none of the kind.
  await session.run("SET SESSION idle_transaction_timeout = 0").catch(() => undefined);
}

/** Begins a transaction that sees one moment, from now on. */
export async function beginSnapshot(session: Session): Promise<void> {
  await session.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  await session.run("START TRANSACTION WITH CONSISTENT SNAPSHOT");
}

/** How others are kept from writing while two sessions choose the same moment. */
export type Stillness = { by: "server" | "tables" } | { by: "nothing"; why: string };

/**
 * Keeps all others from writing, until release(): the whole server with FLUSH TABLES WITH READ LOCK, where this
 * user may not, the database's tables with LOCK TABLES. Waits at most `lockWaitMs`, in which writers wait, too,
 * and tries again. Throws `timeout`; says so where the user may do neither.
 * @param list the tables there are now.
 */
export async function holdStill(
  session: Session,
  list: () => Promise<TableInfo[]>,
  lockWaitMs: number,
  work: WorkContext,
): Promise<{ tables: TableInfo[]; still: Stillness }> {
  await session.run(`SET SESSION lock_wait_timeout = ${Math.max(1, Math.ceil(lockWaitMs / 1000))}`);
  for (let attempt = 1; ; attempt++) {
    const tables = await list();
    try {
      return { tables, still: await lock(session, tables) };
    } catch (error) {
      const passing = [LOCK_WAIT_TIMEOUT, NO_SUCH_TABLE].includes(numberOf(error));
      if (!passing) throw error;
      if (attempt === ATTEMPTS) throw locked(error);
      work.log(`Tables are in use; trying again (${attempt} of ${ATTEMPTS}).`, "warn");
      await delay(PAUSE_MS, undefined, { signal: work.signal });
    }
  }
}

async function lock(session: Session, tables: readonly TableInfo[]): Promise<Stillness> {
  try {
    await session.run("FLUSH TABLES WITH READ LOCK");
    return { by: "server" };
  } catch (error) {
    if (!isDenied(error)) throw error;
  }
  try {
    await lockTables(session, tables);
    return { by: "tables" };
  } catch (error) {
    if (!isDenied(error)) throw error;
    return { by: "nothing", why: "this user may neither FLUSH TABLES WITH READ LOCK nor LOCK TABLES" };
  }
}

/** Locks tables against writing; all at once, since each such statement gives back the one before. */
export async function lockTables(session: Session, tables: readonly TableInfo[]): Promise<void> {
  if (tables.length === 0) return;
  const list = tables.map((table) => `${quoteIdentifier(table.name)} READ`);
  await session.run(`LOCK TABLES ${list.join(", ")}`);
}

export async function release(session: Session): Promise<void> {
  await session.run("UNLOCK TABLES");
}

function locked(cause: unknown): HoldfastError {
  return new HoldfastError(
    "timeout",
    "A table was locked by another session for longer than the lock wait limit.",
    {
      remedy:
        "Wait until that session (often a migration or a long transaction) has ended, then back up again.",
      cause,
    },
  );
}
