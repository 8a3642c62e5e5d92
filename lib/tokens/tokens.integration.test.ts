import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestApi } from "../api/testing/test-api.ts";
import { createTestApi } from "../api/testing/test-api.ts";
import { resolveToken } from "../auth/resolve-token.ts";
import { stillAllowed } from "../auth/still-allowed.ts";
import type { Ctx } from "../context.ts";
import { asSystem } from "../context.ts";
import { listApplications } from "../databases/list-applications.ts";
import { makeDatabase } from "../databases/testing/make-database.ts";
import { makeMember } from "../members/testing/make-member.ts";
import { updateMember } from "../members/update-member.ts";
import { createToken } from "./create-token.ts";
import { listTokens } from "./list-tokens.ts";
import { revokeToken } from "./revoke-token.ts";

let api: TestApi;
let base: Omit<Ctx, "actor">;
beforeAll(async () => {
  api = await createTestApi();
  ({ base } = api);
});
afterAll(async () => {
  await api.close();
});

test("a token is shown once, stored hashed, and stands for its role and limits until it is revoked", async () => {
  const admin = await makeMember(base);
  const made = await createToken(admin.ctx, { name: "ci", role: "operator", environments: ["staging"] });
  expect(made.token).toMatch(/^hf_[A-Za-z0-9_-]{43}$/);
  expect(made).toMatchObject({ name: "ci", prefix: made.token.slice(0, 9), createdBy: admin.user.name });
  const ctx = await resolveToken(base, made.token);
  expect(ctx?.actor).toMatchObject({
    kind: "token",
    role: "operator",
    scope: { environments: ["staging"], applications: [] },
  });
  const stored = await base.db.apiToken.findUniqueOrThrow({ where: { id: made.id } });
  expect(JSON.stringify(stored)).not.toContain(made.token);
  expect(stored.lastUsedAt).not.toBeNull();
  const listed = (await listTokens(admin.ctx)).items.find(({ id }) => id === made.id);
  expect(listed).toMatchObject({ createdBy: admin.user.name });
  expect(ctx && (await stillAllowed(ctx))).toBe(true);

  await revokeToken(admin.ctx, { token: made.id });
  expect(await resolveToken(base, made.token)).toBeNull();
  expect(ctx && (await stillAllowed(ctx))).toBe(false);
  await expect(revokeToken(admin.ctx, { token: made.id })).rejects.toMatchObject({ code: "not_found" });
  const events = await base.db.auditEvent.findMany({ where: { objectId: made.id }, orderBy: { at: "asc" } });
  expect(events.map(({ action }) => action)).toEqual(["token.create", "token.revoke"]);
  expect(JSON.stringify(events)).not.toContain(made.token);
});

test("has never a higher role than its owner has now", async () => {
  const admin = await makeMember(base);
  const { user, ctx: ownerCtx } = await makeMember(base);
  const made = await createToken(ownerCtx, { name: "deploys", role: "admin" });
  const before = await resolveToken(base, made.token);
  const { tokens } = await updateMember(admin.ctx, { member: user.id, role: "viewer" });
  expect(tokens).toMatchObject([{ name: "deploys", role: "viewer" }]);
  expect((await resolveToken(base, made.token))?.actor).toMatchObject({ role: "viewer" });
  expect(before && (await stillAllowed(before))).toBe(false);
});

test("while its owner is disabled a token is refused and listed as such; so is one that it made", async () => {
  const admin = await makeMember(base);
  const { user, ctx: ownerCtx } = await makeMember(base);
  const made = await createToken(ownerCtx, { name: "first", role: "admin" });
  const asToken = await resolveToken(base, made.token);
  if (!asToken) throw new Error("the token does not work");
  const second = await createToken(asToken, { name: "second", role: "viewer" });
  const unrelated = await createToken(admin.ctx, { name: "unrelated", role: "viewer" });

  const disabled = await updateMember(admin.ctx, { member: user.id, disabled: true });
  expect(disabled.tokens.map(({ name, state }) => [name, state])).toEqual([
    ["second", "owner-disabled"],
    ["first", "owner-disabled"],
  ]);
  for (const { token } of [made, second]) expect(await resolveToken(base, token)).toBeNull();
  expect(await stillAllowed(asToken)).toBe(false);
  expect(await resolveToken(base, unrelated.token)).not.toBeNull();
  const listed = (await listTokens(admin.ctx, { owner: user.id })).items;
  expect(listed.map(({ id, state }) => [id, state])).toEqual([
    [second.id, "owner-disabled"],
    [made.id, "owner-disabled"],
  ]);

  await revokeToken(admin.ctx, { token: made.id });
  await updateMember(admin.ctx, { member: user.id, disabled: false });
  expect(await resolveToken(base, made.token)).toBeNull();
  expect(await resolveToken(base, second.token)).not.toBeNull();
  expect((await listTokens(admin.ctx, { owner: user.id })).items).toMatchObject([{ state: "works" }]);
});

test("a token that is limited to applications reads theirs alone", async () => {
  const admin = await makeMember(base);
  for (const name of ["shop-production", "billing-production"]) {
    await makeDatabase(base.db, { name, application: name.split("-")[0] ?? name });
  }
  const made = await createToken(admin.ctx, { name: "shop", role: "viewer", applications: ["shop"] });
  expect(made).toMatchObject({ environments: [], applications: ["shop"] });
  const ctx = await resolveToken(base, made.token);
  if (!ctx) throw new Error("the token does not work");
  expect(await listApplications(ctx)).toEqual([{ name: "shop", databases: 1 }]);
  expect((await listApplications(admin.ctx)).map(({ name }) => name)).toEqual(["billing", "shop"]);
  const [event] = await base.db.auditEvent.findMany({ where: { objectId: made.id } });
  expect(event?.after).toMatchObject({ applications: ["shop"] });
  await expect(
    createToken(admin.ctx, { name: "x", role: "viewer", applications: ["not a name"] }),
  ).rejects.toThrow(/lower-case/);
});

test("a token expires", async () => {
  const { ctx } = await makeMember(base);
  const { token, expiresAt } = await createToken(ctx, { name: "short", role: "viewer", expiresInDays: 1 });
  expect(Date.parse(expiresAt ?? "") - Date.now()).toBeGreaterThan(23 * 3600_000);
  const later = { ...base, clock: { now: () => new Date(Date.now() + 25 * 3600_000) } };
  expect(await resolveToken(base, token)).not.toBeNull();
  expect(await resolveToken(later, token)).toBeNull();
  const listed = (await listTokens({ ...ctx, ...later })).items.find(({ name }) => name === "short");
  expect(listed?.state).toBe("expired");
});

test("when it was last used is written once a minute at most", async () => {
  const { ctx } = await makeMember(base);
  const { id, token } = await createToken(ctx, { name: "busy", role: "viewer" });
  const used = async () =>
    (await base.db.apiToken.findUniqueOrThrow({ where: { id } })).lastUsedAt?.getTime();
  await resolveToken(base, token);
  const first = (await used()) ?? 0;
  const at = (ms: number) => ({ ...base, clock: { now: () => new Date(first + ms) } });
  await resolveToken(at(59_000), token);
  expect(await used()).toBe(first);
  await resolveToken(at(61_000), token);
  expect(await used()).toBe(first + 61_000);
});

test("nobody hands out more than they have; the host's console may", async () => {
  for (const role of ["viewer", "operator"] as const) {
    const { ctx } = await makeMember(base, { role });
    await expect(createToken(ctx, { name: "x", role: "viewer" })).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(listTokens(ctx)).rejects.toMatchObject({ code: "forbidden" });
    await expect(revokeToken(ctx, { token: "x" })).rejects.toMatchObject({ code: "forbidden" });
  }
  const limited = await makeMember(base, { scope: { environments: ["staging"] } });
  await expect(createToken(limited.ctx, { name: "x", role: "viewer" })).rejects.toMatchObject({
    code: "forbidden",
  });
  const { ctx } = await makeMember(base);
  await expect(
    createToken(ctx, { name: "x", role: "viewer", environments: ["nowhere"] }),
  ).rejects.toMatchObject({ code: "invalid" });
  const made = await createToken(asSystem(base, "console"), { name: "check", role: "admin" });
  expect(made).toMatchObject({ createdBy: "console", role: "admin" });
  expect((await resolveToken(base, made.token))?.actor).toMatchObject({ role: "admin" });
});

test("anything that is not a token of ours is nobody", async () => {
  for (const token of ["", "hf_", "hf_short", `hf_${"a".repeat(43)}`, `hf_${"a".repeat(44)}`]) {
    expect(await resolveToken(base, token)).toBeNull();
  }
});
