import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestApi } from "../api/testing/test-api.ts";
import { createTestApi } from "../api/testing/test-api.ts";
import { resolveSession } from "../auth/resolve-session.ts";
import { resolveToken } from "../auth/resolve-token.ts";
import { signIn } from "../auth/sign-in.ts";
import type { Ctx } from "../context.ts";
import { createToken } from "../tokens/create-token.ts";
import { revokeToken } from "../tokens/revoke-token.ts";
import { acceptInvite, openInvite } from "./accept-invite.ts";
import { createInvite } from "./create-invite.ts";
import { listInvites } from "./list-invites.ts";
import { listMemberSessions } from "./list-member-sessions.ts";
import { listMembers } from "./list-members.ts";
import { resetPassword } from "./reset-password.ts";
import { revokeInvite } from "./revoke-invite.ts";
import { revokeMemberSession, revokeMemberSessions } from "./revoke-member-sessions.ts";
import { makeMember } from "./testing/make-member.ts";
import { updateMember } from "./update-member.ts";

let api: TestApi;
let base: Omit<Ctx, "actor">;
let admin: Awaited<ReturnType<typeof makeMember>>;
beforeAll(async () => {
  api = await createTestApi();
  ({ base } = api);
  admin = await makeMember(base);
});
afterAll(async () => {
  await api.close();
});

const audit = (objectId: string) =>
  base.db.auditEvent.findMany({ where: { objectId }, orderBy: { at: "asc" } });
const tokenOf = (url: string) => url.split("token=").at(-1) ?? "";

test("an invitation makes an account once, with the invited role and limits", async () => {
  const invite = await createInvite(admin.ctx, {
    email: "New@Example.com",
    name: "New",
    role: "operator",
    environments: ["staging"],
    applications: ["shop"],
  });
  expect(invite.url).toMatch(/^http:\/\/localhost:3000\/invite\?token=[A-Za-z0-9_-]{43}$/);
  expect(invite).toMatchObject({ email: "new@example.com", invitedBy: admin.user.name });
  const token = tokenOf(invite.url);
  expect(await base.db.invite.count({ where: { tokenHash: token } })).toBe(0);
  expect(await openInvite(base, { token })).toMatchObject({ email: "new@example.com", name: "New" });

  const tries = await Promise.allSettled([
    acceptInvite(base, { token, password: "a long enough one" }),
    acceptInvite(base, { token, password: "a long enough two" }),
  ]);
  expect(tries.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const [member] = tries.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  expect(member).toMatchObject({ role: "operator", environments: ["staging"], email: "new@example.com" });
  expect(member?.applications).toEqual(["shop"]);
  expect((await audit(member?.id ?? "")).map((event) => event.action)).toEqual(["invite.accept"]);
  expect(JSON.stringify(await audit(invite.id))).not.toContain(token);
  await expect(openInvite(base, { token })).rejects.toMatchObject({ code: "not_found" });
  await expect(
    createInvite(admin.ctx, { email: "new@example.com", name: "Again", role: "viewer" }),
  ).rejects.toMatchObject({ code: "conflict", fields: { email: expect.any(String) } });
});

test("an invitation ends by revoking, by a newer one, and after 7 days", async () => {
  const make = (email: string) => createInvite(admin.ctx, { email, name: "N", role: "viewer" });
  const accept = (url: string, from = base) =>
    acceptInvite(from, { token: tokenOf(url), password: "a long enough one" });
  const revoked = await make("revoked@example.com");
  await revokeInvite(admin.ctx, { invite: revoked.id });
  await expect(accept(revoked.url)).rejects.toMatchObject({ code: "not_found" });
  await expect(revokeInvite(admin.ctx, { invite: revoked.id })).rejects.toMatchObject({ code: "not_found" });
  expect((await audit(revoked.id)).map((event) => event.action)).toEqual(["invite.create", "invite.revoke"]);

  const older = await make("twice@example.com");
  const newer = await make("twice@example.com");
  await expect(accept(older.url)).rejects.toMatchObject({ code: "not_found" });
  const later = { ...base, clock: { now: () => new Date(Date.now() + 7.1 * 24 * 3600_000) } };
  await expect(accept(newer.url, later)).rejects.toMatchObject({ code: "not_found" });
  const open = (await listInvites(admin.ctx)).items.map(({ email }) => email);
  expect(open).toContain("twice@example.com");
  expect(open).not.toContain("revoked@example.com");
  await accept(newer.url);
});

test("role and limits change at the next request", async () => {
  const member = await makeMember(base, { role: "viewer" });
  const changed = await updateMember(admin.ctx, {
    member: member.user.id,
    role: "operator",
    environments: ["production"],
    applications: ["shop"],
  });
  expect(changed).toMatchObject({ role: "operator", environments: ["production"], tokens: [] });
  const session = await resolveSession(base, member.sessionId);
  expect(session?.ctx.actor).toMatchObject({ role: "operator", scope: { environments: ["production"] } });
  const [event] = await audit(member.user.id);
  expect(event).toMatchObject({
    action: "member.update",
    actorId: admin.user.id,
    before: { role: "viewer", environments: [] },
    after: { role: "operator", environments: ["production"] },
  });
  await expect(
    updateMember(admin.ctx, { member: member.user.id, environments: ["mars"] }),
  ).rejects.toMatchObject({ code: "invalid", fields: { environments: expect.any(String) } });
});

test("whoever may not invite any more leaves no open invitation behind: a link could bring them back", async () => {
  const { user, ctx } = await makeMember(base);
  const make = (who: Ctx, email: string) => createInvite(who, { email, name: "N", role: "admin" });
  const back = await make(ctx, "back@example.com");
  await updateMember(admin.ctx, { member: user.id, role: "viewer" });
  await expect(openInvite(base, { token: tokenOf(back.url) })).rejects.toMatchObject({ code: "not_found" });

  const { id } = await createToken(admin.ctx, { name: "leaked", role: "admin" });
  const scope = { environments: [], applications: [] };
  const actor = { kind: "token" as const, id, name: "leaked", role: "admin" as const, scope };
  const link = await make({ ...base, actor }, "leaked@example.com");
  await revokeToken(admin.ctx, { token: id });
  await expect(openInvite(base, { token: tokenOf(link.url) })).rejects.toMatchObject({ code: "not_found" });
});

test("disabling ends all sessions and invitations at once and lists the tokens that stop with them", async () => {
  const leaver = await makeMember(base, { role: "admin" });
  const again = await signIn(base, { email: leaver.user.email, password: leaver.password });
  const { id, token } = await createToken(leaver.ctx, { name: "ci", role: "operator" });
  const invite = await createInvite(leaver.ctx, { email: "friend@example.com", name: "F", role: "admin" });
  const inviter = await createToken(leaver.ctx, { name: "inviter", role: "admin" });
  const asToken = await resolveToken(base, inviter.token);
  if (!asToken) throw new Error("the token does not work");
  const other = await createInvite(asToken, { email: "other@example.com", name: "O", role: "admin" });
  const disabled = await updateMember(admin.ctx, { member: leaver.user.id, disabled: true });
  expect(disabled.disabledAt).not.toBeNull();
  expect(disabled.tokens).toMatchObject([
    { name: "inviter", createdBy: leaver.user.name, state: "owner-disabled" },
    { id, name: "ci", createdBy: leaver.user.name, state: "owner-disabled" },
  ]);
  expect(JSON.stringify(disabled)).not.toContain(token);
  for (const sessionId of [leaver.sessionId, again.sessionId]) {
    expect(await resolveSession(base, sessionId)).toBeNull();
  }
  for (const { url } of [invite, other]) {
    await expect(openInvite(base, { token: tokenOf(url) })).rejects.toMatchObject({ code: "not_found" });
  }
  await expect(signIn(base, { email: leaver.user.email, password: leaver.password })).rejects.toMatchObject({
    code: "unauthenticated",
  });
  const enabled = await updateMember(admin.ctx, { member: leaver.user.id, disabled: false });
  expect(enabled.disabledAt).toBeNull();
  expect(await resolveSession(base, leaver.sessionId)).toBeNull();
  const seen = (await audit(leaver.user.id)).map((event) => event.action);
  expect(seen).toEqual(["member.disable", "member.enable"]);
});

test("the last admin without limits stays, also when two remove each other at once", async () => {
  const own = await createTestApi();
  try {
    const one = await makeMember(own.base);
    const two = await makeMember(own.base);
    await makeMember(own.base, { scope: { environments: ["staging"] } });
    const results = await Promise.allSettled([
      updateMember(one.ctx, { member: two.user.id, role: "viewer" }),
      updateMember(two.ctx, { member: one.user.id, disabled: true }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const [left] = await own.base.db.user.findMany({
      where: { role: "admin", disabledAt: null, scopeEnvironments: { isEmpty: true } },
    });
    const ctx = left?.id === one.user.id ? one.ctx : two.ctx;
    for (const change of [{ role: "operator" as const }, { disabled: true }, { environments: ["staging"] }]) {
      await expect(updateMember(ctx, { member: left?.id ?? "", ...change })).rejects.toMatchObject({
        code: "refused",
      });
    }
  } finally {
    await own.close();
  }
});

test("a reset password is temporary, ends the sessions and lifts the throttle", async () => {
  const member = await makeMember(base, { role: "viewer" });
  const stranger = { ...base, address: "198.51.100.77" };
  for (let index = 0; index < 7; index += 1) {
    await signIn(stranger, { email: member.user.email, password: "x" }).catch(() => undefined);
  }
  const { temporaryPassword } = await resetPassword(admin.ctx, { member: member.user.id });
  expect(temporaryPassword).toMatch(/^[a-z2-9]{20}$/);
  expect(await resolveSession(base, member.sessionId)).toBeNull();
  const { sessionId } = await signIn(stranger, { email: member.user.email, password: temporaryPassword });
  expect(await resolveSession(base, sessionId)).toMatchObject({ mustChangePassword: true });
  expect(JSON.stringify(await audit(member.user.id))).not.toContain(temporaryPassword);
  await expect(resetPassword(admin.ctx, { member: admin.user.id })).rejects.toMatchObject({
    code: "refused",
  });
});

test("a member's sessions are listed and ended by an admin", async () => {
  const member = await makeMember(base, { role: "viewer" });
  const page = await listMemberSessions(admin.ctx, { member: member.user.id });
  expect(page.items).toMatchObject([{ id: member.sessionId, current: false }]);
  const session = { member: member.user.id, session: member.sessionId };
  await expect(revokeMemberSession(admin.ctx, { ...session, member: admin.user.id })).rejects.toMatchObject({
    code: "not_found",
  });
  await revokeMemberSession(admin.ctx, session);
  expect(await resolveSession(base, member.sessionId)).toBeNull();
  await signIn(base, { email: member.user.email, password: member.password });
  expect(await revokeMemberSessions(admin.ctx, { member: member.user.id })).toEqual({ revoked: 1 });
});

test("members are listed page by page, without secrets", async () => {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listMembers(admin.ctx, { limit: 3, ...(cursor ? { cursor } : {}) });
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor ?? undefined;
    expect(JSON.stringify(page)).not.toContain("scrypt");
  } while (cursor);
  expect(new Set(ids).size).toBe(await base.db.user.count());
  await expect(listMembers(admin.ctx, { cursor: "bogus" })).rejects.toMatchObject({ code: "invalid" });
});

test.each(["viewer", "operator"] as const)("%s may do none of it", async (role) => {
  const { ctx, user } = await makeMember(base, { role });
  const member = user.id;
  const tries = [
    () => listMembers(ctx),
    () => listInvites(ctx),
    () => updateMember(ctx, { member, role: "admin" }),
    () => resetPassword(ctx, { member: admin.user.id }),
    () => createInvite(ctx, { email: "x@example.com", name: "X", role }),
    () => revokeInvite(ctx, { invite: member }),
    () => listMemberSessions(ctx, { member: admin.user.id }),
    () => revokeMemberSession(ctx, { member: admin.user.id, session: admin.sessionId }),
    () => revokeMemberSessions(ctx, { member: admin.user.id }),
  ];
  for (const attempt of tries) await expect(attempt()).rejects.toMatchObject({ code: "forbidden" });
});

test("an admin with limits manages no members", async () => {
  const { ctx } = await makeMember(base, { scope: { applications: ["shop"] } });
  await expect(
    createInvite(ctx, { email: "x@example.com", name: "X", role: "viewer" }),
  ).rejects.toMatchObject({
    code: "forbidden",
  });
});
