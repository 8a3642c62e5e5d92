import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@playwright/test";
import type { BackupDto } from "../lib/backups/schema.ts";
import { startTestPostgres, type TestPostgres } from "../lib/testing/postgres.ts";
import { cliEnv, holdfast } from "./cli.ts";
import { fillShop } from "./sample-data.ts";

const DATA = process.env.HOLDFAST_E2E_DATA ?? "";
let server: TestPostgres;
let env: Record<string, string>;
let backup: BackupDto;

test.describe.configure({ mode: "serial" });

test.beforeAll(async () => {
  server = await startTestPostgres();
  await fillShop(server, "mine");
  env = await cliEnv("admin");
});
test.afterAll(async () => {
  await server.stop();
});

/** Where the dump of the backup under test lies. */
function dumpFile(): string {
  const copy = backup.copies.find((entry) => entry.destination === "local");
  const artefact = backup.artefacts.find((entry) => entry.name === "dump");
  return path.join(DATA, "backups", copy?.path ?? "", artefact?.file ?? "");
}

test("registers a database, backs it up, and exits 0 with every table equal", async () => {
  const added = await holdfast(
    [
      "database",
      "add",
      "--name",
      "mine",
      "--engine",
      "postgres",
      "--url",
      server.url("mine"),
      "--environment",
      "production",
      "--json",
    ],
    env,
  );
  expect(added.stderr).toBe("");
  expect(added.code).toBe(0);
  expect(added.stdout).not.toContain("test-Password");

  const run = await holdfast(["backup", "run", "mine", "--wait", "--json", "--timeout", "2m"], env);
  expect(run.code, run.stderr).toBe(0);
  backup = JSON.parse(run.stdout) as BackupDto;
  expect(backup).toMatchObject({
    state: "complete",
    database: "mine",
    proof: { level: "restored", verdict: "proven" },
  });
  expect(backup.sizeBytes).toBeGreaterThan(1000);
  expect(backup.copies).toEqual([
    expect.objectContaining({ destination: "local", state: "stored", path: expect.any(String) }),
  ]);
  const tables = backup.proof?.tables ?? [];
  expect(tables.find(({ name }) => name === "public.orders")).toMatchObject({
    rows: 20_000,
    compared: "content",
    equal: true,
  });
  expect(tables.every(({ equal, compared }) => equal === true || compared === "not compared")).toBe(true);
  expect(backup.proof?.restoreSeconds).toBeGreaterThan(0);
  expect(["namespaces", "role"]).toContain(backup.proof?.isolation);
});

test("stock tools alone restore the artefact, as RESTORE.md says", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "hf-stock-"));
  try {
    await server.createDatabase("other");
    const identity = path.join(DATA, "keys/identity.txt");
    const compressed = execFileSync("age", ["-d", "-i", identity, dumpFile()], { maxBuffer: 1e9 });
    const dump = path.join(folder, "dump");
    writeFileSync(dump, execFileSync("zstd", ["-d", "-c"], { input: compressed, maxBuffer: 1e9 }));
    execFileSync("pg_restore", ["--exit-on-error", "-d", server.url("other"), dump]);
    const client = await server.client("other");
    const { rows } = await client.query(
      "SELECT count(*)::int AS orders, sum(total)::text AS total FROM orders",
    );
    const source = await server.client("mine");
    expect(rows).toEqual(
      (await source.query("SELECT count(*)::int AS orders, sum(total)::text AS total FROM orders")).rows,
    );
    await client.end();
    await source.end();
    const guide = readFileSync(path.join(path.dirname(dumpFile()), "RESTORE.md"), "utf8");
    expect(guide).toContain("age -d -i");
    expect(guide).toContain("pg_restore");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("restores into a new database, and refuses to replace one without its name", async () => {
  const restored = await holdfast(
    ["backup", "restore", backup.id, "--to-new-database", "mine_again", "--on", "mine", "--wait", "--json"],
    env,
  );
  expect(restored.code, restored.stderr).toBe(0);
  const client = await server.client("mine_again");
  expect((await client.query("SELECT count(*)::int AS n FROM orders")).rows).toEqual([{ n: 20_000 }]);
  await client.end();

  const refused = await holdfast(
    ["backup", "restore", backup.id, "--over", "mine", "--confirm", "yours"],
    env,
  );
  expect([2, 3]).toContain(refused.code);
  const usage = await holdfast(["backup", "restore", backup.id, "--over", "mine"], env);
  expect(usage.code).toBe(2);
});

test("replaces a database after a safety backup of it", async () => {
  const client = await server.client("mine");
  await client.query("DELETE FROM orders WHERE id > 100");
  await client.end();
  const replaced = await holdfast(
    [
      "backup",
      "restore",
      backup.id,
      "--over",
      "mine",
      "--confirm",
      "mine",
      "--wait",
      "--json",
      "--timeout",
      "2m",
    ],
    env,
  );
  expect(replaced.code, replaced.stderr).toBe(0);
  const after = await server.client("mine");
  expect((await after.query("SELECT count(*)::int AS n FROM orders")).rows).toEqual([{ n: 20_000 }]);
  await after.end();
  const list = await holdfast(["backup", "list", "--database", "mine", "--json"], env);
  const { items } = JSON.parse(list.stdout) as { items: BackupDto[] };
  expect(items.length).toBe(2);
  expect(items[0]?.rowCount).toBe(2100);
});

test("a flipped byte makes verify exit 4, and the Overview says so", async () => {
  const file = dumpFile();
  const bytes = readFileSync(file);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const verified = await holdfast(["backup", "verify", backup.id, "--wait", "--json"], env);
  expect(verified.code, verified.stderr).toBe(4);
  const after = JSON.parse(verified.stdout) as BackupDto;
  expect(after.proof?.verdict).toBe("failed");
  expect(after.copies[0]?.state).toBe("altered");
  const overview = await fetch(`${env.HOLDFAST_URL}/api/v1/overview`, {
    headers: { authorization: `Bearer ${env.HOLDFAST_TOKEN}` },
  });
  const { attention } = (await overview.json()) as { attention: { title: string; detail: string }[] };
  expect(attention.map(({ title, detail }) => `${title} ${detail}`).join("\n")).toMatch(/mine/);
});

test("the audit log is intact, and the exit codes are as documented", async () => {
  const audit = await holdfast(["audit", "verify", "--json"], env);
  expect(audit.code, audit.stderr).toBe(0);
  expect(JSON.parse(audit.stdout)).toMatchObject({ intact: true });
  const exported = await holdfast(["audit", "export", "--action", "database.create"], env);
  expect(exported.stdout).toContain('"mine"');
  expect(exported.stdout).not.toContain("test-Password");

  expect((await holdfast(["backup", "run", "nothing-here"], env)).code).toBe(2);
  expect((await holdfast(["backup", "fly"], env)).code).toBe(2);
  expect((await holdfast(["database", "list"], { ...env, HOLDFAST_TOKEN: "hf_wrong" })).code).toBe(3);
  expect((await holdfast(["keys", "rotate"], await cliEnv("viewer"))).code).toBe(3);
  expect((await holdfast(["database", "list"], { ...env, HOLDFAST_URL: "http://127.0.0.1:9" })).code).toBe(6);
});

test("a wait that ends too early exits 5, and the operation goes on until it is cancelled", async () => {
  const blocker = await server.client("mine");
  await blocker.query("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE");
  try {
    const late = await holdfast(["backup", "run", "mine", "--wait", "--timeout", "2s"], env);
    expect(late.code, late.stderr).toBe(5);
    const list = await holdfast(
      ["operation", "list", "--state", "active", "--database", "mine", "--json"],
      env,
    );
    const { items } = JSON.parse(list.stdout) as { items: { id: string }[] };
    expect(items).toHaveLength(1);
    const cancelled = await holdfast(["operation", "cancel", items[0]?.id ?? "", "--wait", "--json"], env);
    expect(cancelled.code, cancelled.stderr).toBe(0);
    expect(JSON.parse(cancelled.stdout)).toMatchObject({ state: "cancelled" });
  } finally {
    await blocker.end();
  }
});
