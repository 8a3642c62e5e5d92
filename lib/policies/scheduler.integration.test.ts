import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Ctx } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import { makeDatabase } from "../databases/testing/make-database.ts";
import type { Db } from "../db/client.ts";
import { openDb } from "../db/client.ts";
import { ensureDefaults } from "../defaults.ts";
import { createLogger } from "../logger.ts";
import { ensureQueue } from "../operations/dispatch.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { createPolicy } from "./create-policy.ts";
import { getPolicyRun, listPolicyRuns } from "./get-policy-run.ts";
import { pausePolicy, resumePolicy } from "./pause-policy.ts";
import { planRuns } from "./plan-runs.ts";
import { runPolicy } from "./run-policy.ts";
import type { CreatePolicyInput } from "./schema.ts";
import { settleRuns } from "./settle-runs.ts";
import { startDue } from "./start-runs.ts";
import { updatePolicy } from "./update-policy.ts";

let meta: TestDb;
let ctx: Ctx;
/** The same on a connection pool of its own, as another worker has. */
let other: Ctx;
let otherDb: Db;

beforeAll(async () => {
  meta = await createTestDb();
  otherDb = openDb(meta.url, { max: 4, applicationName: "the other worker" });
  const base = { clock: systemClock, log: createLogger("test", "silent") };
  ctx = asSystem({ ...base, db: meta.db }, "Holdfast");
  other = asSystem({ ...base, db: otherDb }, "Holdfast");
  await ensureDefaults(ctx, { dataFolder: "/nonexistent" });
  await ensureQueue(meta.db, "default");
});
afterAll(async () => {
  await otherDb.$disconnect();
  await meta.drop();
});
beforeEach(async () => {
  await meta.db.policy.updateMany({ data: { archivedAt: new Date(), nextDueAt: null } });
});

let names = 0;
const at = (text: string) => new Date(`${text}Z`);

/** A nightly policy at 02:15 UTC that has been planned up to then, for one database of its own. */
async function nightly(plannedUntil: Date, more: Partial<CreatePolicyInput> = {}) {
  names += 1;
  const name = more.name ?? `nightly-${names}`;
  const database = await makeDatabase(meta.db, { name: `${name}-db` });
  const policy = await createPolicy(ctx, {
    name,
    databases: [database.name],
    destinations: ["local"],
    schedule: { kind: "daily", at: "02:15" },
    ...more,
  });
  await meta.db.policy.update({ where: { id: policy.id }, data: { plannedUntil, nextDueAt: plannedUntil } });
  return { id: policy.id, name, database };
}

/** What every worker does from time to time. */
async function pass(now: Date, who: Ctx = ctx): Promise<void> {
  await planRuns(who, now);
  await startDue(who, now);
  await settleRuns(who, now);
}

/** "due time state", oldest first. */
async function runsOf(policyId: string): Promise<string[]> {
  const rows = await meta.db.policyRun.findMany({ where: { policyId }, orderBy: { dueAt: "asc" } });
  return rows.map(({ dueAt, state }) => `${dueAt.toISOString().slice(0, 16)} ${state}`);
}

/** What a worker writes when it has made a backup, and proven it. */
async function finish(
  policyId: string,
  columns: { state?: "complete" | "partial" | "failed"; verdict?: "proven" | "failed"; reason?: string } = {},
): Promise<void> {
  const { state = "complete", verdict, reason } = columns;
  const running = await meta.db.backup.findMany({ where: { policyId, state: "running" } });
  for (const { id, operationId } of running) {
    await meta.db.operation.update({ where: { id: operationId }, data: { state: "succeeded" } });
    await meta.db.copy.updateMany({ where: { backupId: id }, data: { state: "stored" } });
    await meta.db.backup.update({
      where: { id },
      data: {
        state,
        reason: reason ?? null,
        ...(verdict ? { proofVerdict: verdict, proofReason: verdict } : {}),
      },
    });
  }
}

describe("a due time", () => {
  it("is run once, however many workers look at once", async () => {
    const { id, database } = await nightly(at("2027-03-01T00:00"));
    const now = at("2027-03-01T02:15:03");
    await Promise.all([ctx, other, ctx, other].map((who) => pass(now, who)));
    await Promise.all([ctx, other].map((who) => pass(at("2027-03-01T02:15:08"), who)));
    expect(await runsOf(id)).toEqual(["2027-03-01T02:15 running"]);
    const backups = await meta.db.backup.findMany({ where: { policyId: id } });
    expect(backups).toMatchObject([{ databaseId: database.id, trigger: "schedule", state: "running" }]);
    const operation = await meta.db.operation.findFirstOrThrow({ where: { databaseId: database.id } });
    expect(operation).toMatchObject({
      kind: "backup.run",
      actorKind: "schedule",
      actorId: id,
      state: "queued",
    });
  });

  it("of 50 databases makes 50 queued operations, of two workers at once", async () => {
    const databases: string[] = [];
    for (let n = 0; n < 50; n += 1) databases.push((await makeDatabase(meta.db, { name: `many-${n}` })).name);
    const { id } = await nightly(at("2027-03-01T00:00"), { name: "many", databases });
    const now = at("2027-03-01T02:15:01");
    await Promise.all([pass(now), pass(now, other)]);
    expect(await meta.db.backup.count({ where: { policyId: id } })).toBe(50);
    const queued = await meta.db.operation.count({ where: { actorId: id, state: "queued" } });
    expect(queued).toBe(50);
    expect(await meta.db.policyRunItem.count({ where: { run: { policyId: id }, state: "started" } })).toBe(
      50,
    );
  });

  it("covers what its pattern finds by then, and nothing archived", async () => {
    const { id } = await nightly(at("2027-03-01T00:00"), {
      name: "shops",
      databases: [],
      patterns: ["late-*"],
    });
    await makeDatabase(meta.db, { name: "late-one" });
    await makeDatabase(meta.db, { name: "late-gone", archivedAt: new Date() });
    await pass(at("2027-03-01T02:15:01"));
    const items = await meta.db.policyRunItem.findMany({
      where: { run: { policyId: id } },
      include: { database: true },
    });
    expect(items.map(({ database }) => database.name)).toEqual(["late-one"]);
  });

  it("is moved by its jitter, and out of blackouts", async () => {
    const { id } = await nightly(at("2027-03-01T00:00"), {
      jitterSeconds: 600,
      blackouts: [{ days: [1, 2, 3, 4, 5, 6, 7], from: "02:15", to: "03:00" }],
    });
    // The due time itself is held back to the window's end.
    await pass(at("2027-03-01T02:20"));
    expect(await runsOf(id)).toEqual([]);
    await pass(at("2027-03-01T03:00"));
    const [item] = await meta.db.policyRunItem.findMany({ where: { run: { policyId: id } } });
    const late = (item?.startAt.getTime() ?? 0) - at("2027-03-01T03:00").getTime();
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(600_000);
    await pass(at("2027-03-01T03:10"));
    expect(await meta.db.backup.count({ where: { policyId: id } })).toBe(1);
  });
});

describe("after the host was down over three runs", () => {
  it("each is on record; the newest is made up for", async () => {
    const { id, name } = await nightly(at("2027-03-01T12:00"), { missed: "catch_up" });
    const now = at("2027-03-04T09:00");
    await Promise.all([pass(now), pass(now, other)]);
    expect(await runsOf(id)).toEqual([
      "2027-03-02T02:15 missed",
      "2027-03-03T02:15 missed",
      "2027-03-04T02:15 running",
    ]);
    const { items } = await listPolicyRuns(ctx, name, {});
    expect(items.map(({ trigger, reason }) => [trigger, reason?.replaceAll("\u00a0", " ")])).toEqual([
      ["catch_up", "Made up for, 6 h 45 min late: nothing was up to run it."],
      ["schedule", "Nothing was up to run it. The run of 2027-03-04T02:15:00.000Z makes up for it."],
      ["schedule", "Nothing was up to run it. The run of 2027-03-04T02:15:00.000Z makes up for it."],
    ]);
    const told = await meta.db.auditEvent.findMany({ where: { action: "policy.missed", objectId: id } });
    expect(told).toHaveLength(2);
    expect(await meta.db.backup.count({ where: { policyId: id } })).toBe(1);
  });

  it("none is run where the policy says so, and each is on record", async () => {
    const { id } = await nightly(at("2027-03-01T12:00"), { missed: "skip" });
    await pass(at("2027-03-04T09:00"));
    expect(await runsOf(id)).toEqual([
      "2027-03-02T02:15 missed",
      "2027-03-03T02:15 missed",
      "2027-03-04T02:15 missed",
    ]);
    expect(await meta.db.backup.count({ where: { policyId: id } })).toBe(0);
    await pass(at("2027-03-05T02:15:02"));
    expect((await runsOf(id)).at(-1)).toBe("2027-03-05T02:15 running");
  });
});

describe("a clock", () => {
  it("that was ahead for a while costs no run", async () => {
    const { id } = await nightly(at("2027-03-01T12:00"), { missed: "skip" });
    // Three days ahead: two times seem missed.
    await pass(at("2027-03-04T00:00"));
    expect(await runsOf(id)).toHaveLength(2);
    await pass(at("2027-03-01T12:05"));
    expect(await runsOf(id)).toEqual([]);
    await pass(at("2027-03-02T02:15:01"));
    expect(await runsOf(id)).toEqual(["2027-03-02T02:15 running"]);
  });

  it("that was ahead when a run was made up for runs it again when it is due", async () => {
    const { id } = await nightly(at("2027-03-01T12:00"));
    await pass(at("2027-03-02T12:00"));
    await finish(id);
    await pass(at("2027-03-01T12:05"));
    await pass(at("2027-03-02T02:15:01"));
    const runs = await runsOf(id);
    expect(runs).toHaveLength(2);
    expect(runs.at(-1)).toBe("2027-03-02T02:15 running");
  });
});

describe("a run", () => {
  it("ends when its backups and their proofs have", async () => {
    const { id, name } = await nightly(at("2027-03-01T00:00"));
    await pass(at("2027-03-01T02:15:01"));
    await finish(id, { verdict: "proven" });
    await pass(at("2027-03-01T02:20"));
    const { items } = await listPolicyRuns(ctx, name, {});
    expect(items).toMatchObject([{ state: "succeeded", databases: 1, done: 1 }]);
    const run = await getPolicyRun(ctx, name, items[0]?.id ?? "");
    expect(run.items).toMatchObject([{ state: "succeeded", verify: true, backup: { policy: name } }]);
    const [told] = await meta.db.auditEvent.findMany({ where: { action: "policy.finish", objectId: id } });
    expect(told).toMatchObject({ actorKind: "schedule", after: { state: "succeeded" } });
  });

  it.each([
    ["failed", { state: "failed" as const, reason: "The disk is full." }, "The disk is full."],
    ["partial", { state: "partial" as const, reason: "offsite: away." }, "A copy is missing. offsite: away."],
    ["unproven", { verdict: "failed" as const }, "failed"],
    ["never proven", {}, "Its proof did not come to an end."],
  ])("with a backup that is %s has failed, and says why", async (_, columns, why) => {
    const { id, name, database } = await nightly(at("2027-03-01T00:00"));
    await pass(at("2027-03-01T02:15:01"));
    await finish(id, columns);
    await pass(at("2027-03-01T02:20"));
    const [run] = (await listPolicyRuns(ctx, name, {})).items;
    expect(run?.state).toBe("failed");
    expect(run?.reason).toContain(`${database.name}: ${why}`);
  });

  it("waits for no backup that is still under way: the next one is skipped, and says so", async () => {
    const { id, name } = await nightly(at("2027-03-01T00:00"));
    await pass(at("2027-03-01T02:15:01"));
    await pass(at("2027-03-02T02:15:01"));
    expect(await runsOf(id)).toEqual(["2027-03-01T02:15 running", "2027-03-02T02:15 skipped"]);
    const [newest] = (await listPolicyRuns(ctx, name, {})).items;
    expect(newest?.reason).toContain("still under way");
  });

  it("that covers nothing is skipped, and says so", async () => {
    const { id } = await nightly(at("2027-03-01T00:00"), { databases: [], patterns: ["nothing-*"] });
    await pass(at("2027-03-01T02:15:01"));
    expect(await runsOf(id)).toEqual(["2027-03-01T02:15 skipped"]);
  });

  it("proves the first backup of a week, where that is asked for", async () => {
    const { id } = await nightly(at("2027-03-01T00:00"), { verification: { kind: "weekly" } });
    // From Monday on; the first one fails, and so the next is to be proven.
    for (const day of ["01", "02", "03", "07", "08"]) {
      await pass(at(`2027-03-${day}T02:15:01`));
      await finish(id, day === "01" ? { state: "failed" } : { verdict: "proven" });
      await pass(at(`2027-03-${day}T02:20`));
    }
    const items = await meta.db.policyRunItem.findMany({
      where: { run: { policyId: id }, verify: true },
      orderBy: { startAt: "asc" },
    });
    expect(items.map(({ startAt }) => startAt.getUTCDate())).toEqual([1, 2, 8]);
  });
});

describe("a person", () => {
  it("pauses it: due times are on record as skipped; and resumes it", async () => {
    const { id, name } = await nightly(at("2027-03-01T00:00"));
    await meta.db.policy.update({ where: { id }, data: { pausedAt: new Date(), pausedBy: "Ann" } });
    await pass(at("2027-03-02T12:00"));
    expect(await runsOf(id)).toEqual(["2027-03-01T02:15 skipped", "2027-03-02T02:15 skipped"]);
    await meta.db.policy.update({ where: { id }, data: { plannedUntil: new Date() } });
    expect(await resumePolicy(ctx, name)).toMatchObject({ pausedAt: null });
    await expect(resumePolicy(ctx, name)).rejects.toMatchObject({ code: "conflict" });
    const paused = await pausePolicy(ctx, name);
    expect(paused).toMatchObject({ nextRuns: [], pausedBy: "Holdfast" });
  });

  it("runs it now, also while it is paused, and not twice at once", async () => {
    const { id, name } = await nightly(new Date());
    await pausePolicy(ctx, name);
    const asked = await Promise.allSettled([runPolicy(ctx, name), runPolicy(other, name)]);
    const refused = asked.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refused).toEqual([expect.objectContaining({ code: "conflict" })]);
    expect(await meta.db.backup.count({ where: { policyId: id } })).toBe(1);
    await finish(id, { verdict: "proven" });
    await settleRuns(ctx, new Date());
    expect((await listPolicyRuns(ctx, name, {})).items).toMatchObject([
      { state: "succeeded", trigger: "system" },
    ]);
  });

  it("changes it: what was due before was due to the old one", async () => {
    const { id, name } = await nightly(new Date(Date.now() - 3 * 86_400_000), { missed: "skip" });
    const { version } = await meta.db.policy.findUniqueOrThrow({ where: { id } });
    const changed = await updatePolicy(ctx, name, { version, schedule: { kind: "hours", every: 6 } });
    expect(changed.version).toBe(version + 1);
    expect(await runsOf(id)).toHaveLength(3);
    await expect(updatePolicy(ctx, name, { version, zone: "UTC" })).rejects.toMatchObject({
      code: "conflict",
    });
  });

  it("can't make one that does nothing", async () => {
    const good = {
      name: "good",
      patterns: ["*"],
      destinations: ["local"],
      schedule: { kind: "cron", expression: "15 2 * * *" },
    } as const satisfies CreatePolicyInput;
    const wrong: Partial<CreatePolicyInput>[] = [
      { patterns: [] },
      { databases: ["no-such"] },
      { destinations: ["no-such"] },
      { schedule: { kind: "cron", expression: "0 0 31 2 *" } },
      {
        blackouts: [{ days: [1, 2, 3, 4, 5, 6, 7], from: "00:00", to: "23:59" }],
        schedule: { kind: "cron", expression: "* *" },
      },
    ];
    for (const input of wrong) {
      await expect(createPolicy(ctx, { ...good, ...input })).rejects.toMatchObject({ code: "invalid" });
    }
    await createPolicy(ctx, good);
    await expect(createPolicy(ctx, good)).rejects.toMatchObject({ code: "conflict" });
  });
});
