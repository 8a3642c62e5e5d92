import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { HoldfastError, isHoldfastError } from "../../errors.ts";
import type { Access } from "../engine.ts";
import { connect } from "./connect.ts";
import { connectBeside } from "./connect-beside.ts";
import { parseConnection } from "./connection.ts";

/** Longest wait for sessions that were told to end. */
const ENDING_MS = 10_000;

/** Ends the sessions with this application name, in every database of the server; returns how many. */
export async function endSessions(access: Access, applicationName: string): Promise<number> {
  const client = await connect(access).catch(async (error: unknown) => {
    // A swap that broke off leaves its database closed; the sessions are the server's.
    const aboutDatabase = isHoldfastError(error) && error.fields?.["connection.database"] !== undefined;
    if (!aboutDatabase) throw error;
    return await connectBeside(access, [parseConnection(access.connection).database], {});
  });
  try {
    const { rows } = await client.query<{ ended: number }>(
      `SELECT count(*) FILTER (WHERE pg_catalog.pg_terminate_backend(pid))::int AS ended
       FROM pg_catalog.pg_stat_activity
       WHERE application_name = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'`,
      [applicationName.slice(0, 63)],
    );
    return rows[0]?.ended ?? 0;
  } finally {
    await client.end();
  }
}

/** What is left of this operation's own sessions in a database, after an abort for example. */
export async function endOwnSessions(
  client: Client,
  database: string,
  applicationName: string,
): Promise<void> {
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE datname = $1 AND application_name = $2 AND pid <> pg_catalog.pg_backend_pid()`,
    [database, applicationName.slice(0, 63)],
  );
}

/** Ends all of an operation's own sessions but this one, and waits until they are gone: none of them changes anything any more. */
export async function endAllOwnSessions(client: Client, applicationName: string): Promise<void> {
  const until = performance.now() + ENDING_MS;
  for (;;) {
    const { rows } = await client.query<{ left: number }>(
      `SELECT count(pg_catalog.pg_terminate_backend(pid))::int AS left FROM pg_catalog.pg_stat_activity
       WHERE application_name = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'`,
      [applicationName.slice(0, 63)],
    );
    if (rows[0]?.left === 0) return;
    if (performance.now() > until) {
      throw new HoldfastError("unavailable", "Sessions that were told to end are still there on the server.");
    }
    await delay(100);
  }
}

/** Sessions in one database, most used application first: "3 of billing-api (app), 1 of psql (ann)". */
export async function listSessions(
  client: Client,
  database: string,
): Promise<{ count: number; text: string }> {
  const { rows } = await client.query<{ n: number; who: string }>(
    `SELECT count(*)::int AS n, coalesce(nullif(application_name, ''), 'unnamed') || ' (' || usename || ')' AS who
     FROM pg_catalog.pg_stat_activity
     WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'
     GROUP BY 2 ORDER BY 1 DESC`,
    [database],
  );
  const count = rows.reduce((sum, row) => sum + row.n, 0);
  return { count, text: rows.map((row) => `${row.n} of ${row.who}`).join(", ") };
}
