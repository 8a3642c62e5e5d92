import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { restoreBackup } from "../../lib/backups/restore-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { BackupDto } from "../../lib/backups/schema.ts";
import type { BackupInstall } from "../../lib/backups/testing/install.ts";
import { createBackupInstall, kill } from "../../lib/backups/testing/install.ts";
import { verifyBackup } from "../../lib/backups/verify-backup.ts";
import { createDatabase } from "../../lib/databases/create-database.ts";
import { getOperation } from "../../lib/operations/get-operation.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { startTestPostgres } from "../../lib/testing/postgres.ts";
import { descendantsOf, killAll } from "../../lib/transfer/process-tree.ts";
import { nothingLeft } from "../faults/leftovers.ts";

/** Kills spread over the time that the work takes when nobody disturbs it. */
const POINTS = 6;
const ROWS = 60_000;
/** Long enough that a busy machine loses no worker by itself: a second loss is the last. */
const LEASE_MS = 15_000;
const ENGINES = ["postgres", "sqlite"] as const;
/** A worker that dies alone, and one that takes all it started with it. */
const DEATHS = ["alone", "whole"] as const;

let install: BackupInstall;
let server: TestPostgres;
let worker: ChildProcess;
let files: string;
let count = 0;
const known = new Set(["postgres"]);
const good = new Map<string, BackupDto>();

beforeAll(async () => {
  [install, server] = await Promise.all([createBackupInstall(), startTestPostgres()]);
  await server.createDatabase("shop");
  known.add("shop");
  const client = await server.client("shop");
  await client.query(
    `CREATE TABLE orders AS SELECT g AS id, md5(g::text) || md5((-g)::text) AS note FROM generate_series(1, ${ROWS}) g;
     ALTER TABLE orders ADD PRIMARY KEY (id); CREATE INDEX by_note ON orders (note)`,
  );
  await client.end();
  files = path.join(install.root, "files");
  await mkdir(files, { mode: 0o755 });
  const file = new DatabaseSync(path.join(files, "shop.sqlite"));
  file.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT); CREATE INDEX by_note ON orders (note)");
  file.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
     INSERT INTO orders SELECT i, hex(randomblob(32)) FROM n`,
  );
  file.close();
  const urls = { postgres: server.url("shop"), sqlite: `sqlite://${files}/shop.sqlite` };
  for (const engine of ENGINES) {
    await createDatabase(install.ctx, { name: engine, engine, environment: "staging", url: urls[engine] });
  }
  worker = await install.startWorker(`worker-${count}`, LEASE_MS);
  for (const engine of ENGINES) good.set(engine, await install.backUp(engine));
}, 300_000);
afterAll(async () => {
  await install.cleanUp();
  await server.stop();
});

/** Work that can be begun; `settled` are the states in which it may end after a worker was lost. */
interface Work {
  what: string;
  settled: ("succeeded" | "interrupted")[];
  begin(engine: string): Promise<{ operationId: string; check(): Promise<void> }>;
}

const backupOf = (engine: string) => {
  const backup = good.get(engine);
  if (!backup) throw new Error(`no backup of ${engine}`);
  return backup;
};

/** What the database holds, and what stands beside it. */
async function contentOf(engine: string): Promise<unknown> {
  if (engine === "sqlite") {
    const file = new DatabaseSync(path.join(files, "shop.sqlite"), { readOnly: true });
    const rows = file.prepare("SELECT count(*) AS n, sum(id) AS s FROM orders").get();
    const whole = file.prepare("PRAGMA integrity_check").get();
    file.close();
    return [rows, whole];
  }
  const client = await server.client("shop");
  const { rows } = await client.query("SELECT count(*)::int AS n, sum(id)::bigint AS s FROM orders");
  await client.end();
  return rows;
}

const WORK: Work[] = [
  {
    what: "a backup",
    settled: ["succeeded"],
    async begin(engine) {
      const { id, operationId } = await runBackup(install.ctx, { database: engine });
      return {
        operationId,
        async check() {
          const { verification } = await getBackup(install.ctx, id);
          if (verification) await install.until(verification.operationId, "succeeded");
          expect(await getBackup(install.ctx, id)).toMatchObject({
            state: "complete",
            copies: [{ state: "stored" }],
            proof: { verdict: "proven", level: "restored" },
          });
        },
      };
    },
  },
  {
    what: "a proof",
    settled: ["succeeded"],
    async begin(engine) {
      const before = (await getBackup(install.ctx, backupOf(engine).id)).proofs.length;
      const { id } = await verifyBackup(install.ctx, backupOf(engine).id);
      return {
        operationId: id,
        async check() {
          const { proof, proofs } = await getBackup(install.ctx, backupOf(engine).id);
          expect(proof).toMatchObject({ verdict: "proven", operationId: id });
          expect(proofs).toHaveLength(before + 1);
        },
      };
    },
  },
  {
    what: "a restore into a new database",
    settled: ["succeeded", "interrupted"],
    async begin(engine) {
      const name = `new_${count}`;
      const target = { kind: "new", on: engine, name } as const;
      const { id } = await restoreBackup(install.ctx, backupOf(engine).id, { target });
      return {
        operationId: id,
        async check() {
          const { state, result } = await getOperation(install.ctx, id);
          if (state === "succeeded") expect(result).toMatchObject({ equal: true });
          // Nothing, or all of it; nothingLeft says which databases may be there.
          if (state === "succeeded" && engine === "postgres") known.add(name);
          const made = (await readdir(files)).filter((file) => file.startsWith(name));
          expect(made).toHaveLength(state === "succeeded" && engine === "sqlite" ? 1 : 0);
        },
      };
    },
  },
  {
    what: "a restore over the database",
    settled: ["succeeded", "interrupted"],
    async begin(engine) {
      const before = await contentOf(engine);
      const target = { kind: "over", database: engine, confirm: engine, endSessions: true } as const;
      const { id } = await restoreBackup(install.ctx, backupOf(engine).id, { target });
      return {
        operationId: id,
        async check() {
          // Its safety backup is work of its own.
          const { related } = await getOperation(install.ctx, id);
          for (const one of related) await install.until(one.id, "succeeded", "cancelled", "interrupted");
          expect(await contentOf(engine)).toEqual(before);
        },
      };
    },
  },
];

/** Everything that the good backup's copy holds, so that a changed byte shows. */
async function digestOf({ copies }: BackupDto): Promise<string> {
  const folder = path.join(install.data, "backups", copies[0]?.path ?? "");
  const hash = createHash("sha256");
  for (const name of (await readdir(folder)).sort()) hash.update(await readFile(path.join(folder, name)));
  return hash.digest("hex");
}

/** With the worker that is there, which a kill replaces. */
const place = () => ({ ...install, workers: [{ pid: worker.pid ?? 0 }] });

describe.each(ENGINES)("%s", (engine) => {
  describe.each(WORK)("$what", ({ settled, begin }) => {
    let tookMs: number;
    let untouched: string;
    beforeAll(async () => {
      untouched = await digestOf(backupOf(engine));
      count += 1;
      const { operationId, check } = await begin(engine);
      await install.until(operationId, "succeeded");
      await check();
      const { startedAt, finishedAt } = await getOperation(install.ctx, operationId);
      tookMs = Date.parse(finishedAt ?? "") - Date.parse(startedAt ?? "");
      expect(tookMs).toBeGreaterThan(0);
    }, 180_000);

    const points = DEATHS.flatMap((death) =>
      Array.from({ length: POINTS }, (_, index) => ({ death, point: index + 1 })),
    );
    test.each(points)(
      `whose worker dies $death at point $point of ${POINTS}`,
      async ({ death, point }) => {
        count += 1;
        const { operationId, check } = await begin(engine);
        await install.until(operationId, "running", "succeeded");
        await delay((tookMs * point) / (POINTS + 1));
        const below = death === "whole" ? await descendantsOf(worker.pid ?? 0) : [];
        await kill(worker);
        await killAll(below);
        worker = await install.startWorker(`worker-${count}`, LEASE_MS);
        await install.until(operationId, ...settled);
        await check();
        await nothingLeft(place(), server, [...known]);
        expect(await digestOf(backupOf(engine))).toBe(untouched);
        expect(await getBackup(install.ctx, backupOf(engine).id)).toMatchObject({
          state: "complete",
          proof: { verdict: "proven" },
        });
      },
      180_000,
    );
  });
});
