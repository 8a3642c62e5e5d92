import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";
import { splitStatements } from "../split-statements.ts";

const FILE = path.join(import.meta.dirname, "shapes.sql");

/** Fills an empty database, as a superuser, with every shape that a round trip has to keep. */
export async function loadShapes(client: Client): Promise<void> {
  const { rows } = await client.query<{ version: number }>(
    "SELECT current_setting('server_version_num')::int AS version",
  );
  const old = (rows[0]?.version ?? 0) < 140_000;
  // PostgreSQL 13 has neither multiranges nor infinite numbers.
  if (old) await client.query("CREATE DOMAIN int4multirange AS text");
  for (const statement of splitStatements(await readFile(FILE, "utf8"))) {
    await client.query(old ? statement.replace("'Infinity', -0.00", "'NaN', -0.00") : statement);
  }
}
