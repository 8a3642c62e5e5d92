import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { compareFingerprints } from "../../proof/compare.ts";
import type { Sandbox } from "../engine.ts";
import { sqliteEngine } from "./engine.ts";
import { fingerprintFile } from "./fingerprint.ts";
import { programIn, REQUEST, type SqliteFolder, sqliteFolder } from "./testing/sqlite-files.ts";

const MIB = 1024 ** 2;

let here: SqliteFolder;
let sandbox: Sandbox;
beforeEach(async () => {
  here = await sqliteFolder();
});
afterEach(async () => {
  await sandbox.stop();
  await here.remove();
});

/** Largest resident size of the program in a sandbox that proved the file, in bytes (proc(5), VmHWM). */
async function proveAndMeasure(): Promise<number> {
  const like = await fingerprintFile(here.file, { digestBudgetMs: 60_000 }, here.work);
  sandbox = await sqliteEngine.startSandbox(REQUEST, here.work);
  const { access } = sandbox;
  const options = { jobs: 1, spoolDir: null, owners: false };
  await sqliteEngine.restore(access, async () => createReadStream(here.file), options, here.work);
  const restored = await sqliteEngine.fingerprint(access, like, here.work);
  expect(compareFingerprints(like, restored)).toMatchObject({ equal: true, byCount: false });
  await sqliteEngine.checkRestored(access, here.work);
  const status = await readFile(`/proc/${await programIn(sandbox)}/status`, "utf8");
  await sandbox.stop();
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

const grow = (rows: number) =>
  here.write(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO t SELECT i, randomblob(4000) FROM n`);

it("a file ten times as large takes no more memory to prove", async () => {
  here.write("CREATE TABLE t (a, b); CREATE INDEX ta ON t (a)");
  grow(4_000);
  const small = await proveAndMeasure();
  grow(36_000);
  expect((await stat(here.file)).size).toBeGreaterThan(150 * MIB);
  const large = await proveAndMeasure();
  expect(large).toBeLessThan(160 * MIB);
  expect(large).toBeLessThan(small * 1.25);
});
