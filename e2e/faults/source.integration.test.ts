import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { BackupDto } from "../../lib/backups/schema.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { startTestPostgres } from "../../lib/testing/postgres.ts";
import { sessionName } from "../../lib/transfer/session-name.ts";
import { expectNoBackup, expectStands, promiseOf } from "./expectations.ts";
import { DUMPING, holdDump, holdTable, LOCKING, makeShop, releaseAll } from "./gates.ts";
import type { Install } from "./install.ts";
import { installWithShops } from "./install.ts";
import { leftovers, nothingLeft } from "./leftovers.ts";

const PASSWORD = "backup-Password-1";

let server: TestPostgres;
let install: Install;
let cleanUp: () => Promise<void>;
let good: BackupDto;

beforeAll(async () => {
  ({ install, server, cleanUp } = await installWithShops({}));
  await makeShop(server, "shop");
  await sql(`CREATE ROLE backup LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
  const url = server.url("shop").replace(/\/\/[^@]+@/, `//backup:${PASSWORD}@`);
  await install.register("shop", url);
  await install.worker("one", { env: { HOLDFAST_LOCK_WAIT_SECONDS: "2" } });
  good = await install.proven("shop");
});
afterEach(releaseAll);
afterAll(() => cleanUp());

async function sql(text: string): Promise<void> {
  const client = await server.client("shop");
  await client.query(text).finally(() => client.end());
}

/** Backs up and expects it to fail for this reason, with nothing left and the last good backup standing. */
async function expectFailure(reason: RegExp, remedy: RegExp): Promise<void> {
  const { id, operationId } = await runBackup(install.ctx, { database: "shop" });
  await expectFailed(id, operationId, reason, remedy);
}

async function expectFailed(id: string, operationId: string, reason: RegExp, remedy: RegExp): Promise<void> {
  const ended = await install.until(operationId, "failed");
  expect(ended.reason).toMatch(reason);
  expect(ended.error?.remedy).toMatch(remedy);
  expect(ended.attempt).toBe(1);
  expect(JSON.stringify(ended)).not.toContain(PASSWORD);
  await expectNoBackup(install, id, "failed", reason);
  await expectStands(install, good, reason);
}

describe("a source", () => {
  it("whose password was changed", async () => {
    await sql("ALTER ROLE backup PASSWORD 'another-Password-1'");
    await expectFailure(/does not accept the password of user backup/, /[Pp]assword/);
    await sql(`ALTER ROLE backup PASSWORD '${PASSWORD}'`);
    expect(await leftovers(install, server, ["shop"])).toEqual([]);
  });

  it("with one table that may not be read any more: the reason names it, the remedy the grant", async () => {
    await sql("ALTER ROLE backup NOSUPERUSER; GRANT pg_read_all_data TO backup");
    await sql("REVOKE pg_read_all_data FROM backup; GRANT SELECT ON a_first, d_derived, e_gate TO backup");
    await expectFailure(/User backup may not read table c_last\./, /GRANT .* TO "backup"/);
    expect(await leftovers(install, server, ["shop"])).toEqual([]);
    await sql("ALTER ROLE backup SUPERUSER");
  });

  it("with a table that a migration has locked: it gives up, says who, and holds up nobody", async () => {
    const gate = await holdTable(server, "shop");
    const { id, operationId } = await runBackup(install.ctx, { database: "shop" });
    await gate.reached(LOCKING);
    const reason = /A table was locked for longer than the lock wait limit: c_last by process \d+/;
    await expectFailed(id, operationId, reason, /Wait until that session/);
    expect(await leftovers(install, server, ["shop"])).toEqual([]);
  });

  it("that is stopped in the middle of a dump, and comes back", async () => {
    const gate = await holdDump(server, "shop");
    const { id, operationId } = await runBackup(install.ctx, { database: "shop" });
    await gate.reached(DUMPING);
    await server.server.stop();
    await expectFailed(id, operationId, /connection|server|accepts/i, /back up again|runs/);
    await server.restart();
    expect(await leftovers(install, server, ["shop"])).toEqual([]);
    good = await install.proven("shop");
    expect(await promiseOf(install, "shop")).toMatchObject({ href: `/backups/${good.id}` });
  });

  it("that crashes in the middle of a dump", async () => {
    const gate = await holdDump(server, "shop");
    const { id, operationId } = await runBackup(install.ctx, { database: "shop" });
    await gate.reached(DUMPING);
    const client = await server.client("shop");
    const { rows } = await client.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock' LIMIT 1",
      [sessionName({ operationId, attempt: 1 })],
    );
    await client.end();
    const [backend] = rows;
    if (!backend) throw new Error("no session of the dump waits");
    process.kill(backend.pid, "SIGKILL");
    await expectFailed(id, operationId, /connection|server|accepts/i, /back up again|runs/);
    await nothingLeft(install, server, ["shop"]);
    await install.proven("shop").then((backup) => {
      good = backup;
    });
  });
});

describe("client tools", () => {
  it("that are older than the server: the reason names what to install", async () => {
    const newer = await startTestPostgres({ major: 18 });
    try {
      await install.register("newer", newer.url("postgres"));
      const { id, operationId } = await runBackup(install.ctx, { database: "newer" });
      const ended = await install.until(operationId, "failed");
      expect(ended.reason).toMatch(/^The server is PostgreSQL 18, and the newest pg_dump/);
      expect(ended.error?.remedy).toContain("apt-get install postgresql-client-18");
      await expectNoBackup(install, id, "failed", /PostgreSQL 18/);
      expect(await promiseOf(install, "newer")).toMatchObject({ state: "problem", text: "never backed up" });
      expect(await leftovers(install, newer)).toEqual([]);
    } finally {
      await newer.stop();
    }
  });

  it("that are missing on the worker: the reason names what to install", async () => {
    await sql("CREATE DATABASE elsewhere");
    await install.register("elsewhere", server.url("elsewhere"), "bare");
    // The same machine, where nobody has installed them.
    const bare = await install.worker("bare", {
      pool: "bare",
      wrapper: ["bwrap", "--die-with-parent", "--dev-bind", "/", "/", "--tmpfs", "/usr/lib/postgresql"],
    });
    const { id, operationId } = await runBackup(install.ctx, { database: "elsewhere" });
    const ended = await install.until(operationId, "failed");
    expect(ended.reason).toMatch(/^No pg_dump was found on this machine/);
    expect(ended.error?.remedy).toContain("postgresql-client-15");
    await expectNoBackup(install, id, "failed", /No pg_dump/);
    await bare.kill();
  });
});

it("two clicks at once make one backup, one proof, and one answer that says so", async () => {
  const { ctx } = install;
  const gate = await holdDump(server, "shop");
  const clicks = await Promise.allSettled(
    Array.from({ length: 8 }, () => runBackup(ctx, { database: "shop" })),
  );
  const [made, ...more] = clicks.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(more).toEqual([]);
  for (const one of clicks) {
    if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "conflict" });
  }
  await gate.reached(DUMPING);
  await gate.release();
  await install.until(made?.operationId ?? "", "succeeded");
  const { id, verification } = await getBackup(ctx, made?.id ?? "");
  await install.until(verification?.operationId ?? "", "succeeded");
  expect(await ctx.db.operation.count({ where: { backupId: id, kind: "backup.verify" } })).toBe(1);
  await nothingLeft(install, server, ["shop", "elsewhere"]);
});
