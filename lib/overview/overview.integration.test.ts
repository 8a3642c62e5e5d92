import { afterEach, beforeEach, expect, test } from "vitest";
import type { Ctx, Scope } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import { makeBackup, makeDatabase, provenNow } from "../databases/testing/make-database.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import { createPolicy } from "../policies/create-policy.ts";
import { archivePolicy, pausePolicy } from "../policies/pause-policy.ts";
import { writeRecoveryKits } from "../secrets/recovery-kits.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { getOverview } from "./get-overview.ts";

const DAY = 86_400_000;
let meta: TestDb;
let ctx: Ctx;

beforeEach(async () => {
  meta = await createTestDb();
  ctx = asSystem({ db: meta.db, clock: systemClock, log: createLogger("test", "error") }, "test");
  await coverAll();
});

/** A policy for whatever is registered: what it leaves to be done is in a test of its own. */
async function coverAll() {
  const destination = { id: newId(), name: "planned", kind: "local", config: {} };
  await meta.db.destination.create({ data: destination });
  await createPolicy(ctx, {
    name: "all",
    patterns: ["*"],
    destinations: [destination.name],
    schedule: { kind: "daily", at: "02:15" },
  });
}
afterEach(async () => {
  await meta.drop();
});

function limited(scope: Partial<Scope>): Ctx {
  return {
    ...ctx,
    actor: {
      kind: "token",
      id: newId(),
      name: "t",
      role: "viewer",
      scope: { environments: [], applications: [], ...scope },
    },
  };
}

async function workerUp(pool = "default") {
  await meta.db.worker.create({
    data: { id: newId(), name: "w", pool, host: "h", pid: 1, version: "1", abilities: {} },
  });
}

async function confirmKit() {
  const now = new Date().toISOString();
  const kit = { recipient: "age1x", endingDigest: "", addedAt: now, confirmedAt: now, replacedAt: null };
  await writeRecoveryKits(meta.db, [kit]);
}

const words = (parts: { text: string }[]) =>
  parts
    .map((part) => part.text)
    .join("")
    .replaceAll("\u00a0", " ");

test("an empty install says so and asks for a worker and a kit", async () => {
  const overview = await getOverview(ctx, {});
  expect(words(overview.finding)).toBe("No database is registered yet.");
  expect(overview.attention.map((item) => [item.id, item.severity])).toEqual([
    ["workers", "problem"],
    ["recovery-kit", "warning"],
  ]);
  expect(overview).toMatchObject({ databases: [], running: [], strip: [], workers: 0, facts: [] });
});

/** A copy of the backup in a place that is not this host. */
async function copyOffHost(backupId: string, columns: { state?: "stored" | "failed" | "unreachable" } = {}) {
  const offsite = await meta.db.destination.upsert({
    where: { name: "offsite" },
    create: { id: newId(), name: "offsite", kind: "s3", config: {}, offHost: true },
    update: {},
  });
  const { state = "stored" } = columns;
  const data = { id: newId(), backupId, destinationId: offsite.id, path: backupId, state };
  await meta.db.copy.create({ data: { ...data, reason: state === "stored" ? null : "the bucket is away" } });
}

test("everything proven: the sentence has what keeps the cells amber, and attention what to do about it", async () => {
  await workerUp();
  const shop = await makeDatabase(meta.db, { name: "shop-production", environment: "production" });
  const backup = await makeBackup(meta.db, shop.id, provenNow());
  const before = await getOverview(ctx, {});
  expect(words(before.finding)).toBe(
    "shop-production is proven; no copy is off this host yet, and no recovery kit has been confirmed.",
  );
  expect(before.finding.map(({ tone }) => tone)).toEqual(["plain", "warning"]);
  expect(before.databases[0]?.recoverable).toMatchObject({
    state: "warning",
    text: expect.stringMatching(/^proven/),
    detail: "recovery kit not confirmed, no copy off this host",
  });
  expect(before.attention.map(({ title, action }) => [title, action.href])).toEqual([
    ["No copy is off this host", "/settings/destinations"],
    ["There is no recovery kit", "/setup/recovery-kit"],
  ]);

  await confirmKit();
  const confirmed = await getOverview(ctx, {});
  expect(words(confirmed.finding)).toBe("shop-production is proven; no copy is off this host yet.");
  expect(confirmed.attention.map(({ id }) => id)).toEqual(["off-host"]);
  // The same in one environment: its cells are amber, too.
  const there = await getOverview(ctx, { environment: "production" });
  expect(there.finding).toEqual(confirmed.finding);
  expect(there.attention).toEqual(confirmed.attention);

  await copyOffHost(backup.id);
  const after = await getOverview(ctx, {});
  expect(after.finding).toEqual([{ text: "shop-production can be restored.", tone: "plain" }]);
  expect(after.databases[0]?.recoverable.state).toBe("ok");
  expect(after.attention).toEqual([]);
  expect(after.counts).toEqual({ databases: 1, recoverable: 1, attention: 0, running: 0 });
  expect(after.facts.map((fact) => words([{ text: fact }]))).toEqual([
    "Slowest restore 11 s",
    "every copy in 2 places or more",
    "3-2-1 holds for all",
    "1 worker running",
  ]);
});

test("several proven: how many have no copy elsewhere is said, and who is stale or lacks a copy", async () => {
  await workerUp();
  await confirmKit();
  const made = new Map<string, string>();
  for (const name of ["a", "b", "c"]) {
    const database = await makeDatabase(meta.db, { name });
    made.set(name, (await makeBackup(meta.db, database.id, provenNow())).id);
  }
  expect(words((await getOverview(ctx, {})).finding)).toBe(
    "All 3 databases are proven; no copy is off this host yet.",
  );
  await copyOffHost(made.get("a") ?? "");
  expect(words((await getOverview(ctx, {})).finding)).toBe(
    "All 3 databases are proven; 2 have no copy off this host.",
  );
  await copyOffHost(made.get("b") ?? "");
  expect(words((await getOverview(ctx, {})).finding)).toBe(
    "All 3 databases are proven; c has no copy off this host.",
  );
  await copyOffHost(made.get("c") ?? "", { state: "failed" });
  const lacking = await getOverview(ctx, {});
  expect(words(lacking.finding)).toBe(
    "All 3 databases can be restored. c: a copy was not made. c has no copy off this host.",
  );
  expect(lacking.attention.map(({ title, detail, action }) => [title, detail, action])).toEqual([
    [
      "c: the copy at offsite could not be made",
      "the bucket is away",
      { label: "Open the backup", href: `/backups/${made.get("c")}` },
    ],
    ["c has no copy off this host", expect.any(String), expect.any(Object)],
  ]);
  expect(lacking.facts).toContain("3-2-1 holds for 2 of 3");
  // It is made again by itself: nothing for a person to do yet.
  await meta.db.copy.updateMany({ where: { state: "failed" }, data: { retryAt: new Date() } });
  const retried = await getOverview(ctx, {});
  expect(retried.attention.map(({ id }) => id)).toEqual(["off-host"]);
  expect(words(retried.finding)).toBe("All 3 databases are proven; c has no copy off this host.");

  // At a destination that is out of use nothing lacks.
  const where = { name: "offsite" };
  await meta.db.destination.update({ where, data: { archivedAt: new Date() } });
  await meta.db.copy.updateMany({ where: { state: "failed" }, data: { retryAt: null } });
  const without = await getOverview(ctx, {});
  expect(without.attention.map(({ id }) => id)).toEqual(["off-host"]);
  expect(without.databases.find(({ name }) => name === "c")?.recoverable.detail).toBe(
    "no copy off this host",
  );
  await meta.db.destination.update({ where, data: { archivedAt: null } });

  await meta.db.copy.updateMany({ where: { state: "failed" }, data: { state: "stored" } });
  const old = await makeDatabase(meta.db, { name: "old" });
  await copyOffHost((await makeBackup(meta.db, old.id, provenNow(9 * DAY))).id);
  expect(words((await getOverview(ctx, {})).finding)).toBe(
    "3 of 4 databases can be restored. old has not been proven for 9 days.",
  );
});

test("an only copy that could not be reached is not called missing or altered", async () => {
  await workerUp();
  await confirmKit();
  const shop = await makeDatabase(meta.db, { name: "shop" });
  const backup = await makeBackup(meta.db, shop.id, provenNow());
  await meta.db.copy.updateMany({ where: { backupId: backup.id }, data: { state: "unreachable" } });
  const overview = await getOverview(ctx, {});
  expect(overview.databases[0]?.recoverable).toMatchObject({
    state: "problem",
    text: "no copy can be reached",
    detail: "the only copy could not be reached",
  });
  expect(words(overview.finding)).toBe(
    "The one database can't be restored yet. shop has no copy that can be reached. No copy is off this host yet.",
  );
  expect(overview.attention.map(({ title }) => title)).toEqual([
    "shop: no copy can be reached",
    "No copy is off this host",
  ]);
});

test("the one that has not been proven is named, coloured, and can be acted on", async () => {
  await workerUp();
  await confirmKit();
  const shop = await makeDatabase(meta.db, { name: "shop", environment: "production" });
  await copyOffHost((await makeBackup(meta.db, shop.id, provenNow())).id);
  const billing = await makeDatabase(meta.db, { name: "billing", environment: "production" });
  await copyOffHost((await makeBackup(meta.db, billing.id, provenNow(9 * DAY))).id);
  const failed = await makeBackup(meta.db, billing.id, {
    proofVerdict: "failed",
    proofReason: "3 rows differ in invoices",
  });
  const overview = await getOverview(ctx, {});
  expect(words(overview.finding)).toBe(
    "1 of 2 databases can be restored. billing has not been proven for 9 days.",
  );
  expect(overview.finding.filter((part) => part.tone !== "plain")).toEqual([
    { text: "billing", tone: "problem" },
  ]);
  expect(overview.attention).toEqual([
    expect.objectContaining({
      id: `recoverable:${billing.id}`,
      severity: "problem",
      detail: "3 rows differ in invoices",
      environment: "production",
      action: { label: "See why", href: `/backups/${failed.id}` },
    }),
  ]);
});

test("an altered copy beside good ones raises attention", async () => {
  await workerUp();
  await confirmKit();
  const shop = await makeDatabase(meta.db, { name: "shop" });
  await makeBackup(meta.db, shop.id, { ...provenNow(2 * DAY), copyState: "altered" });
  await copyOffHost((await makeBackup(meta.db, shop.id, provenNow())).id);
  const overview = await getOverview(ctx, {});
  expect(overview.counts.recoverable).toBe(1);
  expect(overview.attention.map((item) => item.title)).toEqual(["shop: a copy is altered"]);
});

test("an altered only copy is told once, as the reason why nothing can be restored", async () => {
  await workerUp();
  await confirmKit();
  const shop = await makeDatabase(meta.db, { name: "shop" });
  await makeBackup(meta.db, shop.id, {
    copyState: "altered",
    proofVerdict: "failed",
    proofReason: "dump.pgdump.zst.age was altered",
  });
  const overview = await getOverview(ctx, {});
  expect(overview.attention.map((item) => [item.title, item.detail, item.action.label])).toEqual([
    ["shop: last proof failed", "dump.pgdump.zst.age was altered", "See why"],
  ]);
  expect(words(overview.finding)).toBe("The one database can't be restored yet. shop failed its last proof.");
});

test("what can't be reached, pools without a worker and destinations that fail are there", async () => {
  await workerUp("near");
  await confirmKit();
  const shop = await makeDatabase(meta.db, {
    name: "shop",
    probeError: "password refused",
    probedAt: new Date(),
  });
  await makeBackup(meta.db, shop.id, provenNow());
  await meta.db.destination.update({ where: { name: "local" }, data: { checkError: "disk full" } });
  const overview = await getOverview(ctx, {});
  expect(overview.attention.map((item) => item.id)).toEqual([
    "pool:default",
    "destination:local",
    `probe:${shop.id}`,
    "off-host",
  ]);
});

test("two in trouble are named, more are counted; running work shows what stood before", async () => {
  await workerUp();
  await confirmKit();
  const old = new Date(Date.now() - 2 * DAY);
  const a = await makeDatabase(meta.db, { name: "a", createdAt: old });
  await makeDatabase(meta.db, { name: "b", createdAt: old });
  expect(words((await getOverview(ctx, {})).finding)).toBe(
    "None of 2 databases can be restored yet. a and b need attention.",
  );
  await makeDatabase(meta.db, { name: "c", createdAt: old });
  expect(words((await getOverview(ctx, {})).finding)).toMatch(/3 databases need attention\.$/);
  const id = newId();
  await meta.db.operation.create({
    data: {
      id,
      rootId: id,
      kind: "backup.run",
      state: "running",
      title: "Back up a",
      pool: "default",
      payload: {},
      actorKind: "user",
      actorName: "ada",
      trigger: "click",
      databaseId: a.id,
      startedAt: new Date(),
      progress: { label: "dump", done: 1, total: null, unit: "bytes" },
    },
  });
  const overview = await getOverview(ctx, {});
  expect(overview.databases[0]?.recoverable).toEqual({
    state: "running",
    text: "backing up now",
    detail: "never backed up",
    href: `/operations/${id}`,
  });
  expect(overview.running).toMatchObject([{ id, database: "a", progress: { unit: "bytes" } }]);
  expect(overview.strip).toMatchObject([{ kind: "backup", state: "running", href: `/operations/${id}` }]);
  expect(overview.counts.running).toBe(1);
});

test("an environment, and an actor's limits, narrow everything down", async () => {
  await workerUp();
  await makeDatabase(meta.db, { name: "shop-staging", application: "shop", environment: "staging" });
  await makeDatabase(meta.db, { name: "shop-production", application: "shop", environment: "production" });
  await makeDatabase(meta.db, { name: "billing-staging", application: "billing", environment: "staging" });
  const names = async (asker: Ctx, environment?: string) =>
    (await getOverview(asker, environment ? { environment } : {})).databases.map((item) => item.name);
  expect(await names(ctx)).toEqual(["billing-staging", "shop-production", "shop-staging"]);
  expect(await names(ctx, "production")).toEqual(["shop-production"]);
  expect(await names(limited({ environments: ["staging"] }))).toEqual(["billing-staging", "shop-staging"]);
  expect(await names(limited({ environments: ["staging"], applications: ["shop"] }))).toEqual([
    "shop-staging",
  ]);
  expect(await names(limited({ environments: ["staging"] }), "production")).toEqual([]);
  expect((await getOverview(ctx, { environment: "staging" })).attention.map((item) => item.id)).not.toContain(
    "recovery-kit",
  );
});

test("a database without a policy, a paused policy, and a run that was missed need somebody", async () => {
  await workerUp();
  await confirmKit();
  for (const name of ["a", "b"]) {
    const database = await makeDatabase(meta.db, { name });
    await copyOffHost((await makeBackup(meta.db, database.id, provenNow())).id);
  }
  const told = async (scope?: Ctx) =>
    (await getOverview(scope ?? ctx, {})).attention.map(({ title, detail }) =>
      words([{ text: `${title}. ${detail}` }]),
    );
  expect(await told()).toEqual([]);
  const policy = await meta.db.policy.findUniqueOrThrow({ where: { name: "all" } });
  await meta.db.policyRun.create({
    data: {
      id: newId(),
      policyId: policy.id,
      dueAt: new Date(),
      state: "missed",
      reason: "Nothing was up to run it.",
      trigger: "schedule",
      actorName: "all",
      finishedAt: new Date(),
    },
  });
  expect(await told()).toEqual(["A run of the policy all was missed. Nothing was up to run it."]);
  await pausePolicy(ctx, "all");
  expect(await told()).toEqual([
    "The policy all is paused. By test. Its databases are not backed up until it is resumed.",
  ]);
  await archivePolicy(ctx, "all");
  expect(await told()).toEqual(["No policy covers 2 databases. a, b: not backed up by themselves."]);
  expect(await told(limited({ applications: ["a"] }))).toEqual([
    "No policy covers a. It is backed up when somebody asks for it, and not by itself.",
  ]);
});
