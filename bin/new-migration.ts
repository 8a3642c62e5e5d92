// Writes the next migration of our own schema: npm run migration:new -- <name>
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { datamodels, migrationNames, migrationsList } from "../lib/db/migrate.ts";
import { FILTERS, openSchemaEngine } from "../lib/db/schema-engine.ts";
import { startTestPostgres } from "../lib/testing/postgres.ts";

const name = process.argv[2];
if (!name || !/^[a-z0-9_]+$/.test(name)) {
  console.error(
    "Give the migration a name of lower-case letters, digits and _: npm run migration:new -- add_policy",
  );
  process.exit(2);
}

const folder = path.resolve(import.meta.dirname, "../prisma/migrations");
await mkdir(folder, { recursive: true });
await writeFile(path.join(folder, "migration_lock.toml"), 'provider = "postgresql"\n');
const server = await startTestPostgres();
try {
  const models = await datamodels();
  const { engine, close } = await openSchemaEngine(server.url(), models);
  const first = (await migrationNames()).length === 0;
  const { stdout } = await engine.diff({
    from: first ? { tag: "empty" } : { tag: "migrations", ...(await migrationsList()) },
    to: { tag: "schemaDatamodel", files: models.map(([file, content]) => ({ path: file, content })) },
    script: true,
    exitCode: null,
    filters: FILTERS,
    shadowDatabaseUrl: null,
  });
  await close();
  const stamp = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const target = path.join(folder, `${stamp}_${name}`);
  await mkdir(target);
  await writeFile(path.join(target, "migration.sql"), stdout ?? "");
  console.log(`prisma/migrations/${stamp}_${name}/migration.sql`);
} finally {
  await server.stop();
}
