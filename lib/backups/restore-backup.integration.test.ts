import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listAudit } from "../audit/list-audit.ts";
import type { Actor, Ctx } from "../context.ts";
import { createDatabase } from "../databases/create-database.ts";
import { getDatabase } from "../databases/get-database.ts";
import { databaseTimeline } from "../databases/timeline.ts";
import { updateDatabase } from "../databases/update-database.ts";
import { cancelOperation } from "../operations/cancel-operation.ts";
import { getOperation } from "../operations/get-operation.ts";
import { listOperations } from "../operations/list-operations.ts";
import { readLog } from "../operations/read-log.ts";
import { find } from "../search/find.ts";
import type { TestPostgres } from "../testing/postgres.ts";
import { descendantsOf, killAll } from "../transfer/process-tree.ts";
import { temporaryName } from "../transfer/restore-names.ts";
import { getBackup } from "./get-backup.ts";
import { listBackups } from "./list-backups.ts";
import { restoreBackupHandler } from "./operations/restore-backup.handler.ts";
import { restoreBackup } from "./restore-backup.ts";
import type { BackupInstall } from "./testing/install.ts";
import { as, createShopInstall } from "./testing/shop.ts";

let install: BackupInstall;
let server: TestPostgres;
let ctx: Ctx;
let worker: ChildProcess;
let cleanUp: () => Promise<void>;

beforeAll(async () => {
  ({ install, server, ctx, worker, cleanUp } = await createShopInstall());
  const url = server.url("postgres").replace(/:[^:@/]+@/, ":not-it@");
  await createDatabase(ctx, { name: "wrong-password", engine: "postgres", environment: "staging", url });
}, 120_000);
afterAll(() => cleanUp());

async function databases(): Promise<string[]> {
  const client = await server.client();
  const { rows } = await client.query<{ name: string }>("SELECT datname AS name FROM pg_database ORDER BY 1");
  await client.end();
  return rows.map(({ name }) => name);
}

describe("restoring", () => {
  it("makes a new database and registers it", async () => {
    const backup = await install.backUp("shop-production");
    const operation = await restoreBackup(ctx, backup.id, {
      target: { kind: "new", on: "shop-production", name: "shop_again", register: true },
    });
    const { result } = await install.until(operation.id, "succeeded");
    expect(result).toMatchObject({ equal: true, registered: "shop-again", tableCounts: { equal: 2 } });
    expect(await getDatabase(ctx, "shop-again")).toMatchObject({ environment: "production" });
  });

  it("tidies up after a lost restore without touching what has the name that it was to get", async () => {
    const lost = await ctx.db.operation.findFirstOrThrow({ where: { kind: "backup.restore" } });
    const ended = {
      operationId: lost.id,
      databaseId: lost.databaseId,
      backupId: lost.backupId,
      attempt: 1,
      state: "interrupted" as const,
      reason: "its worker was lost",
      retry: false,
      payload: lost.payload,
      unsettled: { swap: null },
    };
    await server.createDatabase(temporaryName(lost.id));
    await restoreBackupHandler.cleanUp?.(ctx, ended);
    expect(await databases()).toContain("shop_again");
    expect(await databases()).not.toContain(temporaryName(lost.id));
  });

  it("leaves nothing when its process is killed, and is failed", async () => {
    const { items } = await listBackups(ctx, { database: "shop-production", verdict: "proven" });
    const before = await databases();
    const operation = await restoreBackup(ctx, items[0]?.id ?? "", {
      target: { kind: "new", on: "shop-production", name: "never_made" },
    });
    const made = temporaryName(operation.id);
    await expect.poll(databases, { timeout: 30_000, interval: 5 }).toContain(made);
    await killAll(await descendantsOf(worker.pid ?? 0));
    const { reason } = await install.until(operation.id, "failed");
    expect(reason).toContain("by SIGKILL");
    expect(await databases()).toEqual(before);
  });

  it("keeps to the connection that it was asked for", async () => {
    const { items } = await listBackups(ctx, { database: "shop-production", verdict: "proven" });
    const client = await server.client("shop");
    try {
      await client.query("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE");
      const operation = await restoreBackup(ctx, items[0]?.id ?? "", {
        target: { kind: "over", database: "shop-production", confirm: "shop-production" },
      });
      const { version } = await getDatabase(ctx, "shop-production");
      await expect(
        updateDatabase(ctx, "shop-production", { version, url: server.url("template1") }),
      ).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining(operation.id) });
      await cancelOperation(ctx, operation.id);
      await install.until(operation.id, "cancelled");
    } finally {
      await client.end();
    }
  });

  it("asks for the name, and for another role than operator", async () => {
    const { items } = await listBackups(ctx, { verdict: "proven" });
    const id = items[0]?.id ?? "";
    const over = (confirm: string) => ({
      target: { kind: "over" as const, database: "shop-production", confirm },
    });
    await expect(restoreBackup(ctx, id, over("shop"))).rejects.toMatchObject({
      code: "invalid",
      fields: { "target.confirm": expect.any(String) },
    });
    await expect(restoreBackup(as(ctx, "operator"), id, over("shop-production"))).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  it("goes over a database after a safety backup, which is proven first", async () => {
    const backup = await install.backUp("shop-production");
    const client = await server.client("shop");
    await client.query("DELETE FROM orders WHERE id <= 100");
    await client.end();
    const operation = await restoreBackup(ctx, backup.id, {
      target: { kind: "over", database: "shop-production", confirm: "shop-production", endSessions: true },
    });
    await install.until(operation.id, "succeeded");
    const after = await server.client("shop");
    const { rows } = await after.query("SELECT count(*)::int AS n FROM orders");
    await after.end();
    expect(rows).toEqual([{ n: 40_000 }]);
    const children = await ctx.db.operation.findMany({
      where: { rootId: operation.id, id: { not: operation.id } },
      orderBy: { createdAt: "asc" },
    });
    expect(children.map(({ kind, state }) => [kind, state])).toEqual([
      ["backup.run", "succeeded"],
      ["backup.verify", "succeeded"],
    ]);
    const safety = await getBackup(ctx, children[0]?.backupId ?? "");
    expect(safety).toMatchObject({ rowCount: 42_900, proof: { verdict: "proven" } });
  });

  it("tells those who see only one of the two databases nothing of the other", async () => {
    await server.createDatabase("billing");
    await createDatabase(ctx, {
      name: "billing-staging",
      engine: "postgres",
      environment: "staging",
      url: server.url("billing"),
    });
    const { items } = await listBackups(ctx, { database: "shop-production", verdict: "proven" });
    const target = { kind: "new" as const, on: "billing-staging", name: "billing_again" };
    const operation = await restoreBackup(ctx, items[0]?.id ?? "", { target });
    await install.until(operation.id, "succeeded");
    const limitedTo = (application: string): Ctx => ({
      ...as(ctx, "admin"),
      actor: { ...as(ctx, "admin").actor, scope: { environments: [], applications: [application] } } as Actor,
    });
    const billing = limitedTo("billing");
    const seen = {
      list: (await listOperations(billing, {})).items,
      one: await getOperation(billing, operation.id),
      log: (await readLog(billing, operation.id, {})).items,
      timeline: (await databaseTimeline(billing, "billing-staging", {})).items,
      found: (await find(billing, { q: "Restore" })).items,
      audit: (await listAudit(billing, {})).items,
    };
    expect(seen.list.map(({ title }) => title)).toContain(
      "Restore a backup of another database into the new database billing_again",
    );
    expect(seen.audit.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["database.restore", "database.restored"]),
    );
    expect(JSON.stringify(seen)).not.toContain("shop");
    const shop = limitedTo("shop");
    const { items: audit } = await listAudit(shop, { action: "backup." });
    expect(audit.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["backup.restore", "backup.restored"]),
    );
    expect(JSON.stringify(audit)).not.toContain("billing");
  });

  it("touches nothing when no safety backup can be made", async () => {
    const { items } = await listBackups(ctx, { database: "shop-production", verdict: "proven" });
    const operation = await restoreBackup(ctx, items[0]?.id ?? "", {
      target: { kind: "over", database: "wrong-password", confirm: "wrong-password" },
    });
    await install.until(operation.id, "failed");
    const client = await server.client("shop");
    const { rows } = await client.query("SELECT count(*)::int AS n FROM orders");
    await client.end();
    expect(rows).toEqual([{ n: 40_000 }]);
  });
});
