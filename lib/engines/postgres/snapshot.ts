import type { Client } from "pg";
import { messageOf } from "../../errors.ts";
import { quoteLiteral } from "./quote.ts";

/** Output settings under which equal values have equal text, whatever the server's defaults are. */
const PINNED: Record<string, string> = {
  search_path: "",
  DateStyle: "ISO, YMD",
  TimeZone: "UTC",
  IntervalStyle: "postgres",
  extra_float_digits: "3",
  bytea_output: "hex",
  lc_monetary: "C",
  quote_all_identifiers: "off",
  // An error instead of rows silently left out.
  row_security: "off",
  statement_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  // Compiling costs more than it saves on thousands of small queries.
  jit: "off",
};

/**
 * Begins a read-only transaction that sees one moment: that of `snapshot` if given, which was exported by
 * another session, or its own. With `locks`, tables are locked before the moment is chosen.
 */
export async function beginSnapshot(
  client: Client,
  options: { serverMajor: number; snapshot?: string; parallelWorkers: number; lockWaitMs?: number },
): Promise<void> {
  // Ends a long query when this process is gone; not every platform can.
  await client.query("SET client_connection_check_interval = '10s'").catch(() => undefined);
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  if (options.snapshot !== undefined) {
    await client.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(options.snapshot)}`);
  }
  const settings: Record<string, string> = {
    ...PINNED,
    ...(options.serverMajor >= 17 ? { transaction_timeout: "0" } : {}),
    lock_timeout: String(options.lockWaitMs ?? 0),
    max_parallel_workers_per_gather: String(options.parallelWorkers),
  };
  const statements = Object.entries(settings).map(
    ([name, value]) => `SET LOCAL ${name} = ${quoteLiteral(value)}`,
  );
  await client.query(statements.join("; "));
}

/**
 * Runs reads whose locks are given back at once: thousands of tables in one transaction would fill the
 * server's lock table. Returns the error's text instead of throwing where the transaction can go on.
 */
export async function inSavepoint<T>(
  client: Client,
  read: () => Promise<T>,
  tolerate: (error: unknown) => boolean = () => false,
): Promise<{ value: T } | { failed: string }> {
  await client.query("SAVEPOINT reading");
  try {
    const value = await read();
    return { value };
  } catch (error) {
    if (!tolerate(error)) throw error;
    return { failed: messageOf(error) };
  } finally {
    await client.query("ROLLBACK TO SAVEPOINT reading").catch(() => undefined);
  }
}
