import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";
import { splitStatements } from "../split-statements.ts";

const FILE = path.join(import.meta.dirname, "shapes.sql");

/** Fills an empty database, as a superuser, with every shape that a round trip has to keep. */
export async function loadShapes(client: Client): Promise<void> {
  for (const statement of splitStatements(await readFile(FILE, "utf8"))) await client.query(statement);
}
