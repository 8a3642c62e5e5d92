import { Client } from "pg";
import { expect, inject, test } from "vitest";
import { createTestDb } from "../testing/metadata.ts";
import { datamodels, migrate, migrationNames } from "./migrate.ts";
import { nextMigration } from "./next-migration.ts";

const serverUrl = () => inject("metadataServer").ownerUrl.replace("/*", "/postgres");

async function onServer<T extends object>(sql: string, url = serverUrl()): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

const statements = (sql: string) => sql.split("\n").filter((line) => line !== "" && !line.startsWith("--"));

test("the migrations make what the schema describes", async () => {
  expect(statements(await nextMigration(serverUrl()))).toEqual([]);
});

test("a change of the schema becomes its migration, and the database it was tried in is gone", async () => {
  const models = await datamodels();
  models.push(["prisma/schema/shelf.prisma", "model Shelf {\n  id String @id\n  label String?\n}\n"]);
  expect(await nextMigration(serverUrl(), models)).toMatch(
    /CREATE TABLE "Shelf" \(\s+"id" TEXT NOT NULL,\s+"label" TEXT/,
  );
  const left = await onServer("SELECT FROM pg_database WHERE datname LIKE 'prisma_migrate_shadow_db_%'");
  expect(left).toEqual([]);
});

test("two databases are migrated in one process", async () => {
  const meta = await createTestDb();
  try {
    for (const name of ["one", "two"]) {
      await onServer(`CREATE DATABASE ${new URL(meta.ownerUrl).pathname.slice(1)}_${name}`);
      expect(await migrate(`${meta.ownerUrl}_${name}`)).toEqual(await migrationNames());
    }
    const [count] = await onServer<{ tables: number }>(
      "SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'",
      `${meta.ownerUrl}_two`,
    );
    expect(count?.tables).toBeGreaterThan(10);
  } finally {
    for (const name of ["one", "two"]) {
      await onServer(
        `DROP DATABASE IF EXISTS ${new URL(meta.ownerUrl).pathname.slice(1)}_${name} WITH (FORCE)`,
      );
    }
    await meta.drop();
  }
});
