// Writes the next migration of our own schema: npm run migration:new -- <name>
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { nextMigration } from "../lib/db/next-migration.ts";
import { startTestPostgres } from "../lib/testing/postgres.ts";

const name = process.argv[2];
if (!name || !/^[a-z0-9_]+$/.test(name)) {
  console.error(
    "Give the migration a name of lower-case letters, digits and _: npm run migration:new -- add_policy",
  );
  process.exit(2);
}

const folder = path.resolve(import.meta.dirname, "../prisma/migrations");
const server = await startTestPostgres();
try {
  const sql = await nextMigration(server.url());
  const stamp = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const target = path.join(folder, `${stamp}_${name}`);
  await mkdir(target);
  await writeFile(path.join(target, "migration.sql"), sql);
  console.log(`prisma/migrations/${stamp}_${name}/migration.sql`);
  if (/^(--.*\s*)*$/.test(sql)) console.log("The schema has not changed: the file is for SQL of your own.");
} finally {
  await server.stop();
}
