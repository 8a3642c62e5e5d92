import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emitAudit } from "../audit/emit.ts";
import { asSystem, systemClock } from "../context.ts";
import { createLogger } from "../logger.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { migrate, migrationNames, pendingMigrations } from "./migrate.ts";

let meta: TestDb;
beforeAll(async () => {
  meta = await createTestDb();
});
afterAll(async () => {
  await meta.drop();
});

test("a second run applies nothing and leaves nothing pending", async () => {
  expect(await migrate(meta.ownerUrl)).toEqual([]);
  const client = new Client({ connectionString: meta.ownerUrl });
  await client.connect();
  expect(await pendingMigrations(client)).toEqual([]);
  await client.end();
  expect((await migrationNames()).length).toBeGreaterThan(1);
});

test("the runtime role can add to the audit log, and neither it nor the owner can change it", async () => {
  const ctx = asSystem({ db: meta.db, clock: systemClock, log: createLogger("test", "error") }, "test");
  await meta.db.$transaction((tx) =>
    emitAudit(tx, ctx, { action: "test.write", object: { kind: "test" }, after: { password: "x" } }),
  );
  const [event] = await meta.db.auditEvent.findMany();
  expect(event?.after).toEqual({ password: "[redacted]" });
  await expect(meta.db.auditEvent.deleteMany()).rejects.toThrow(/permission denied/);
  const owner = new Client({ connectionString: meta.ownerUrl });
  await owner.connect();
  for (const sql of [
    "UPDATE audit_event SET action = 'x'",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event",
  ]) {
    await expect(owner.query(sql)).rejects.toThrow(/can only grow/);
  }
  await owner.end();
});
