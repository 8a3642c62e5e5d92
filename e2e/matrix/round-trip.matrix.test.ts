import { chmod, mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { restoreBackup } from "../../lib/backups/restore-backup.ts";
import { createDatabase } from "../../lib/databases/create-database.ts";
import { createDestination } from "../../lib/destinations/create-destination.ts";
import { getOperation } from "../../lib/operations/get-operation.ts";
import type { TestDb } from "../../lib/testing/metadata.ts";
import { createTestDb } from "../../lib/testing/metadata.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { startTestPostgres } from "../../lib/testing/postgres.ts";
import type { Install } from "../faults/install.ts";
import { createInstall } from "../faults/install.ts";
import type { WorkerProcess } from "../faults/worker-process.ts";
import { fillShop } from "../sample-data.ts";
import { giveAway, machines, sourceMajors, workerOn } from "./machines.ts";

/** Sources: each PostgreSQL major that can be dumped here, and SQLite. */
const majors = await sourceMajors();
const sources = [...majors.map((major) => `postgres-${major}`), "sqlite"];

describe.each(machines())("a worker $name", (machine) => {
  let meta: TestDb;
  let install: Install;
  let servers: TestPostgres[];
  let files: string;

  beforeAll(async () => {
    meta = await createTestDb();
    install = await createInstall(meta);
    servers = await Promise.all(majors.map((major) => startTestPostgres({ major })));
    for (const server of servers) {
      await fillShop(server, "shop");
      await install.register(`postgres-${server.major}`, server.url("shop"));
    }
    files = path.join(install.root, "files");
    await mkdir(files);
    await chmod(files, 0o755);
    const file = new DatabaseSync(path.join(files, "till.sqlite"));
    file.exec("CREATE TABLE sales (id INTEGER PRIMARY KEY, note TEXT); CREATE INDEX by_note ON sales (note)");
    file.exec(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO sales SELECT i, 'sale ' || i FROM n",
    );
    file.close();
    const url = `sqlite://${files}/till.sqlite`;
    await createDatabase(install.ctx, { name: "sqlite", engine: "sqlite", environment: "staging", url });
    const second = { folder: path.join(install.root, "second") };
    await createDestination(install.ctx, { name: "second", kind: "local", config: second });
  }, 300_000);
  afterAll(async () => {
    await install.cleanUp();
    await Promise.all(servers.map((server) => server.stop()));
    await meta.drop();
  });

  describe.each(["on", "off"])("with encryption %s", (encryption) => {
    let worker: WorkerProcess;
    beforeAll(async () => {
      const { env, wrapper } = workerOn(machine, await ownFolder(encryption));
      if (machine.ordinary) giveAway(install.root, path.dirname(install.keys));
      const options = { env: { ...env, HOLDFAST_ENCRYPTION: encryption }, ...(wrapper ? { wrapper } : {}) };
      worker = await install.worker(`encryption-${encryption}`, options);
    });
    afterAll(() => worker?.kill());

    async function ownFolder(name: string): Promise<string> {
      const folder = path.join(install.root, `machine-${name}`);
      await mkdir(folder, { mode: 0o755 });
      return folder;
    }

    describe.each([1, 2])("to %i destinations", (destinations) => {
      beforeAll(async () => {
        const archivedAt = destinations === 2 ? null : new Date();
        await meta.db.destination.update({ where: { name: "second" }, data: { archivedAt } });
      });

      test.concurrent.each(sources)(
        "%s is proven, and restored equal",
        async (source) => {
          const backup = await install.proven(source);
          expect(backup.copies.map(({ destination, state }) => `${destination} ${state}`).sort()).toEqual(
            ["local stored", "second stored"].slice(0, destinations),
          );
          expect(backup.proof?.tables?.every(({ equal }) => equal)).toBe(true);
          const isolation = source === "sqlite" ? machine.ofFiles : machine.isolation;
          expect(backup.proof?.isolation).toBe(isolation);
          const stored = await readdir(path.join(install.data, "backups", backup.copies[0]?.path ?? ""));
          const dumps = stored.filter((name) => name.startsWith("dump."));
          expect(dumps).toHaveLength(1);
          expect(dumps[0]?.endsWith(".age")).toBe(encryption === "on");
          const name = `again_${encryption}_${destinations}`;
          const target = { kind: "new", on: source, name } as const;
          const { id } = await restoreBackup(install.ctx, backup.id, { target });
          await install.until(id, "succeeded");
          expect(await getOperation(install.ctx, id)).toMatchObject({ result: { equal: true } });
        },
        180_000,
      );
    });
  });
});
