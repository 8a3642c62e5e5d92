import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../root.ts";
import type { TestPostgres } from "../testing/postgres.ts";
import { startTestPostgres } from "../testing/postgres.ts";
import { openDb } from "./client.ts";

/** As a process of its own, the way a deployment does it: the migrations' engine runs once in a process. */
async function migrate(url: string): Promise<string> {
  const env = { ...process.env, DATABASE_URL: url, HOLDFAST_OWNER_DATABASE_URL: url };
  const run = promisify(execFile)(process.execPath, [path.join(ROOT, "bin/migrate.ts")], { env });
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
  return stdout + stderr;
}

/** Becoming a role one has made differs between these two. */
describe.each([15, 18])("an owner that is no superuser, on PostgreSQL %i", (major) => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startTestPostgres({ major });
  });
  afterAll(async () => {
    await server.stop();
  });

  const asSuperuser = async (...statements: string[]) => {
    const client = await server.client();
    for (const sql of statements) await client.query(sql);
    await client.end();
  };
  const urlOf = (user: string) => server.url(user).replace(/\/\/[^@]+@/, `//${user}:secret@`);

  test("without CREATEROLE is told what to run, and that is enough", async () => {
    await asSuperuser("CREATE ROLE plain LOGIN PASSWORD 'secret'", "CREATE DATABASE plain OWNER plain");
    expect(await migrate(urlOf("plain"))).toContain("GRANT holdfast_runtime TO plain");
    await asSuperuser("CREATE ROLE holdfast_runtime NOLOGIN", "GRANT holdfast_runtime TO plain");
    await migrate(urlOf("plain"));
    const db = openDb(urlOf("plain"), { max: 1, applicationName: "test" });
    expect(await db.user.count()).toBe(0);
    await db.$disconnect();
    await asSuperuser("DROP DATABASE plain", "DROP ROLE holdfast_runtime");
  });

  test("with CREATEROLE makes the role and becomes it", async () => {
    await asSuperuser(
      "CREATE ROLE maker LOGIN CREATEROLE PASSWORD 'secret'",
      "CREATE DATABASE maker OWNER maker",
    );
    await migrate(urlOf("maker"));
    const db = openDb(urlOf("maker"), { max: 1, applicationName: "test" });
    expect(await db.user.count()).toBe(0);
    await db.$disconnect();
  });
});
