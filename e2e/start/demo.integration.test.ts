import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { inDatabase } from "../../lib/demo/seed-shop.ts";
import { ROOT } from "../../lib/root.ts";
import { ensureBuilt, ensureGenerated } from "../../lib/start/build.ts";
import { readRunFile } from "../../lib/start/run-file.ts";
import { freePort } from "../../lib/testing/postgres.ts";
import { holdfast } from "../cli.ts";
import type { Install } from "../install.ts";
import { startInstall } from "../install.ts";

const WAIT = { timeout: 300_000, interval: 200 };
const PROVEN = "Demo: shop-production proven, shop-staging proven, kiosk proven";

let folder: string;
let dataFolder: string;
let install: Install;
let env: Record<string, string>;

beforeAll(async () => {
  await ensureGenerated();
  await ensureBuilt();
  folder = mkdtempSync(path.join(tmpdir(), "hf-e2e-demo-"));
  chmodSync(folder, 0o755);
  dataFolder = path.join(folder, "data");
  install = await startInstall({ port: await freePort(), dataFolder, args: ["--demo"] });
}, 600_000);
afterAll(async () => {
  await install?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** npm run demo:reset, as people run it. */
async function reset(): Promise<{ code: number; said: string }> {
  return await new Promise((resolve) => {
    const options = { cwd: ROOT, env: { ...process.env, DATABASE_URL: "", HOLDFAST_DATA: dataFolder } };
    execFile("npm", ["run", "--silent", "demo:reset"], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error ? 1 : 0, said: stdout + stderr });
    });
  });
}

async function query<T>(database: string | null, text: string): Promise<T[]> {
  const ownerUrl = readRunFile(dataFolder)?.ownerDatabaseUrl ?? "";
  const client = new Client({ connectionString: database ? inDatabase(ownerUrl, database) : ownerUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows as T[];
  } finally {
    await client.end();
  }
}

async function cli(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await holdfast(args, env);
  expect(code, stderr).toBe(0);
  return stdout;
}

async function api(method: string, route: string, body?: unknown): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${env.HOLDFAST_TOKEN}`, "content-type": "application/json" };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const answer = await fetch(`${install.url}/api/v1/${route}`, init);
  expect(answer.status, `${method} ${route}`).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
}

const kiosk = () => path.join(dataFolder, "demo/kiosk.db");

/** All that the sample databases hold: names of everything, and each table's rows. */
async function sample(): Promise<unknown> {
  const shops = ["shop_production", "shop_staging"].map(async (database) => {
    const relations = await query<{ name: string; kind: string }>(
      database,
      `SELECT c.oid::regclass::text AS name, relkind AS kind FROM pg_class c
       WHERE relnamespace = 'shop'::regnamespace OR relnamespace = 'public'::regnamespace ORDER BY 1`,
    );
    const rows = relations
      .filter(({ kind }) => kind === "r")
      .map(
        ({ name }) =>
          `SELECT '${name}' AS of, count(*), sum(hashtextextended(t::text, 0)::numeric) FROM ${name} t`,
      );
    return [
      relations,
      await query(database, `SET TIME ZONE 'UTC'`),
      await query(database, `${rows.join(" UNION ALL ")} ORDER BY 1`),
    ];
  });
  const file = new DatabaseSync(kiosk(), { readOnly: true });
  const tables = file.prepare("SELECT name, sql FROM sqlite_master ORDER BY name").all();
  const sales = file.prepare("SELECT * FROM sales ORDER BY id").all();
  file.close();
  return [await Promise.all(shops), tables, sales];
}

/** All that is not the demo's: whose rows and files a reset must leave as they are. */
async function others(): Promise<unknown> {
  const rows = await query(
    null,
    `SELECT 'database' AS of, to_jsonb(d) - ARRAY['updated_at'] AS row FROM database d WHERE name = 'mine'
     UNION ALL SELECT 'backup', to_jsonb(b) FROM backup b WHERE database_id = (SELECT id FROM database WHERE name = 'mine')
     UNION ALL SELECT 'old backup', to_jsonb(b.id) FROM backup b WHERE created_at < '${madeAt}'
     UNION ALL SELECT 'token', to_jsonb(t) FROM api_token t
     UNION ALL SELECT 'environment', to_jsonb(e) FROM environment e
     UNION ALL SELECT 'destination', to_jsonb(d) FROM destination d
     UNION ALL SELECT 'setting', to_jsonb(s) FROM setting s WHERE key NOT LIKE 'demo' AND key NOT LIKE 'claim%'
     UNION ALL SELECT 'key', to_jsonb(k) FROM key_check k ORDER BY 1, 2`,
  );
  const files = globSync("backups/*/mine/**/*.age", { cwd: dataFolder }).sort();
  expect(files.length).toBeGreaterThan(0);
  const digests = files.map((file) =>
    createHash("sha256")
      .update(readFileSync(path.join(dataFolder, file)))
      .digest("hex"),
  );
  return [rows, files, digests];
}
let madeAt: string;

test("npm start -- --demo shows a sample company, proven", async () => {
  await vi.waitFor(() => expect(install.console()).toContain("Demo: shop-production"), WAIT);
  expect(install.console()).toContain(PROVEN);
  const place = { HOLDFAST_URL: install.url, HOLDFAST_DATA: dataFolder };
  const made = await holdfast(["token", "create", "--name", "demo", "--role", "admin"], place);
  env = { ...place, HOLDFAST_TOKEN: made.stdout.trim() };
  const databases = await api("GET", "databases");
  expect(databases.items).toMatchObject(
    ["kiosk", "shop-production", "shop-staging"].map((name) => ({
      name,
      recoverable: { text: expect.stringMatching(/^proven/) },
    })),
  );
}, 360_000);

test("npm run demo:reset puts back what was changed, proven anew, and touches nothing else", async () => {
  const original = await sample();
  const file = path.join(folder, "mine.db");
  const database = new DatabaseSync(file);
  database.exec("CREATE TABLE kept (id INTEGER PRIMARY KEY); INSERT INTO kept VALUES (1), (2)");
  database.close();
  chmodSync(file, 0o644);
  await cli(
    "database",
    "add",
    "--name",
    "mine",
    "--engine",
    "sqlite",
    "--url",
    `sqlite://${file}`,
    "--environment",
    "staging",
  );
  await cli("backup", "run", "mine", "--wait", "--timeout", "2m");
  madeAt = new Date().toISOString();
  const before = await others();

  await query("shop_production", "DROP TABLE shop.page_events; CREATE TABLE shop.junk AS SELECT 1 AS a");
  await query("shop_production", "UPDATE shop.customers SET email = 'changed-' || email WHERE id % 2 = 0");
  await query("postgres", "DROP DATABASE shop_staging WITH (FORCE)");
  const till = new DatabaseSync(kiosk());
  till.exec("DELETE FROM sales WHERE id > 10");
  till.close();
  const { version } = await api("GET", "databases/shop-staging");
  await api("PATCH", "databases/shop-staging", { version, note: "changed" });
  await api("POST", "databases/kiosk/archive");

  const { code, said } = await reset();
  expect(said).toContain(PROVEN);
  expect(code).toBe(0);
  expect(await sample()).toEqual(original);
  expect(await others()).toEqual(before);
  expect(await api("GET", "databases/shop-staging")).toMatchObject({
    note: expect.stringContaining("demo:reset"),
  });
  expect(await api("GET", "databases/kiosk")).toMatchObject({ archivedAt: null });
}, 360_000);

test("a reset waits for nothing: work on the sample's databases is named, and goes on", async () => {
  const ownerUrl = inDatabase(readRunFile(dataFolder)?.ownerDatabaseUrl ?? "", "shop_staging");
  const holder = new Client({ connectionString: ownerUrl });
  await holder.connect();
  await holder.query("BEGIN; LOCK TABLE shop.orders IN ACCESS EXCLUSIVE MODE");
  const backup = JSON.parse(await cli("backup", "run", "shop-staging", "--json")) as { id: string };
  const { code, said } = await reset();
  await holder.end();
  expect(said).toContain(
    "An operation on the demo's databases is waiting or running. Wait for its end, or cancel it, under Operations.",
  );
  expect(code).toBe(1);
  await vi.waitFor(
    async () =>
      expect(await api("GET", `backups/${backup.id}`)).toMatchObject({ proof: { verdict: "proven" } }),
    WAIT,
  );
}, 360_000);

test("a reset while nothing runs says how to start it, also after a start that was killed", async () => {
  const file = readFileSync(path.join(dataFolder, "run.json"), "utf8");
  expect(await install.stop()).toBe(0);
  const expected = `No Holdfast runs here on the data folder ${dataFolder}. Start it with: npm start -- --demo`;
  expect(await reset()).toEqual({ code: 1, said: `${expected}\n` });
  writeFileSync(path.join(dataFolder, "run.json"), file);
  expect(await reset()).toEqual({ code: 1, said: `${expected}\n` });
}, 120_000);
