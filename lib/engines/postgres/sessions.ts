import type { Client } from "pg";
import type { Access } from "../engine.ts";
import { connect } from "./connect.ts";

/** Ends the sessions with this application name, in every database of the server; returns how many. */
export async function endSessions(access: Access, applicationName: string): Promise<number> {
  const client = await connect(access);
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
