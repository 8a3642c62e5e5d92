import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { endpoints } from "../api/registry.ts";
import type { TestApi } from "../api/testing/test-api.ts";
import { createTestApi } from "../api/testing/test-api.ts";
import type { Ctx } from "../context.ts";
import type { TestMember } from "../members/testing/make-member.ts";
import { makeMember } from "../members/testing/make-member.ts";
import { appendLinks } from "./chain.ts";
import { emitAudit } from "./emit.ts";
import { verifyAudit } from "./verify-audit.ts";

let api: TestApi;
let member: TestMember;
let ctx: Ctx;
/** Stands still, so that only what a test says makes time pass. */
let now = Date.now();
const clock = { now: () => new Date(now) };
beforeAll(async () => {
  api = await createTestApi();
  member = await makeMember(api.base, { role: "viewer" });
  ctx = { ...member.ctx, clock };
});
beforeEach(async () => {
  await api.base.db.install.updateMany({ data: { auditCheckAfter: null } });
});
afterAll(async () => {
  await api.close();
});

/** A chain with a link at least. */
async function write(): Promise<void> {
  await ctx.db.$transaction((tx) => emitAudit(tx, ctx, { action: "test.write", object: { kind: "test" } }));
  const { auditKey } = api.runtime.keyring;
  await expect
    .poll(async () => (await appendLinks(ctx.db, auditKey)) || ctx.db.auditLink.count(), { timeout: 30_000 })
    .toBeGreaterThan(0);
}

const checkAfter = async () => (await ctx.db.install.findFirstOrThrow()).auditCheckAfter?.getTime();

test("of several checks at once one is made, and a rest follows", async () => {
  await write();
  const tries = await Promise.allSettled([verifyAudit(ctx), verifyAudit(ctx), verifyAudit(ctx)]);
  const made = tries.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const refused = tries.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
  expect(made).toEqual([expect.objectContaining({ intact: true })]);
  const throttled = { code: "throttled", retryAfter: expect.any(Number), remedy: expect.any(String) };
  expect(refused).toEqual([expect.objectContaining(throttled), expect.objectContaining(throttled)]);
  await expect(verifyAudit(ctx)).rejects.toMatchObject({ code: "throttled" });
  now += 5_000;
  expect((await verifyAudit(ctx)).intact).toBe(true);
});

test("a long check rests for as long as it took", async () => {
  await write();
  let asked = 0;
  // The first two answers are those of its beginning; with the first page a minute has passed.
  const slow = { now: () => new Date(now + (++asked > 2 ? 60_000 : 0)) };
  await verifyAudit({ ...ctx, clock: slow });
  expect(await checkAfter()).toBe(now + 120_000);
});

test("a check that is broken off makes room again, one whose process was lost after a minute", async () => {
  await write();
  const stop = new AbortController();
  stop.abort(new Error("gone"));
  await expect(verifyAudit(ctx, { signal: stop.signal })).rejects.toThrow("gone");
  now += 5_000;
  expect((await verifyAudit(ctx)).intact).toBe(true);

  const until = new Date(now + 60_000);
  await ctx.db.install.updateMany({ data: { auditCheckAfter: until } });
  await expect(verifyAudit(ctx)).rejects.toMatchObject({ code: "throttled" });
  now += 60_000;
  expect((await verifyAudit(ctx)).intact).toBe(true);
});

test("the API says when to ask again", async () => {
  const ask = () => api.call(endpoints, "POST", "/audit/verify", { session: member.sessionId });
  expect((await ask()).status).toBe(200);
  await ctx.db.install.updateMany({ data: { auditCheckAfter: new Date(Date.now() + 3_600_000) } });
  const refused = await ask();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({
    code: "throttled",
    detail: expect.stringContaining("Ask again"),
  });
});
