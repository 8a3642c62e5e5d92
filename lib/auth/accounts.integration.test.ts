import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestApi } from "../api/testing/test-api.ts";
import { createTestApi } from "../api/testing/test-api.ts";
import type { Ctx } from "../context.ts";
import { parseEnv } from "../env.ts";
import { makeMember } from "../members/testing/make-member.ts";
import { changeEmail } from "./change-email.ts";
import { changePassword } from "./change-password.ts";
import { claim, claimFromEnv, ensureClaimToken, isClaimed } from "./claim.ts";
import { getMe } from "./get-me.ts";
import { listSessions } from "./list-sessions.ts";
import { resolveSession } from "./resolve-session.ts";
import { revokeOtherSessions } from "./revoke-other-sessions.ts";
import { revokeSession } from "./revoke-session.ts";
import { signIn } from "./sign-in.ts";

let api: TestApi;
let base: Omit<Ctx, "actor">;
beforeAll(async () => {
  api = await createTestApi();
  ({ base } = api);
});
afterAll(async () => {
  await api.close();
});

const actions = async (objectId: string) =>
  (await base.db.auditEvent.findMany({ where: { objectId }, orderBy: { at: "asc" } })).map(
    (row) => row.action,
  );

test("the first account: of many claims with the printed token exactly one wins", async () => {
  expect(await isClaimed(base.db)).toBe(false);
  const old = await ensureClaimToken(base);
  const token = await ensureClaimToken(base);
  if (!token || !old) throw new Error("no token");
  const input = { name: "First", password: "a long enough one" };
  await expect(claim(base, { ...input, email: "old@example.com", token: old })).rejects.toMatchObject({
    code: "refused",
    fields: { token: expect.any(String) },
  });
  const env = parseEnv({
    HOLDFAST_ADMIN_EMAIL: "env@example.com",
    HOLDFAST_ADMIN_PASSWORD: "unattended one",
  });
  const tries = await Promise.allSettled([
    ...["a", "b", "c", "d"].map((who) => claim(base, { ...input, email: `${who}@example.com`, token })),
    claimFromEnv(base, env).then((member) => member ?? Promise.reject(new Error("not first"))),
  ]);
  const won = tries.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  expect(won).toHaveLength(1);
  expect(await base.db.user.count()).toBe(1);
  expect(won[0]).toMatchObject({ role: "admin", totp: false, disabledAt: null });
  expect(await actions(won[0]?.id ?? "")).toEqual(["install.claim"]);
  expect(await ensureClaimToken(base)).toBeNull();
  expect(await claimFromEnv(base, env)).toBeNull();
  await expect(claim(base, { ...input, email: "late@example.com", token })).rejects.toMatchObject({
    code: "refused",
    message: expect.stringContaining("claimed already"),
  });
});

test("signing in makes a session, tells of it in the audit log and hashes an outdated password again", async () => {
  const { user, password } = await makeMember(base, { role: "viewer" });
  const email = ` ${user.email.toUpperCase()} `;
  const signedIn = await signIn(base, { email, password, userAgent: "Test/1" });
  const session = await resolveSession(base, signedIn.sessionId);
  expect(session?.ctx.actor).toMatchObject({ kind: "user", id: user.id, role: "viewer" });
  expect(await actions(signedIn.sessionId)).toEqual(["session.create"]);
  const after = await base.db.user.findUniqueOrThrow({ where: { id: user.id } });
  expect(after.passwordHash).toContain("ln=17,");
  expect(after.lastLoginAt).not.toBeNull();
});

test("wrong password, unknown account and disabled account get the same answer", async () => {
  const { user } = await makeMember(base);
  const disabled = await makeMember(base);
  await base.db.user.update({ where: { id: disabled.user.id }, data: { disabledAt: new Date() } });
  const answers = await Promise.all(
    [
      { email: user.email, password: "not the password" },
      { email: "nobody@example.com", password: "not the password" },
      { email: disabled.user.email, password: disabled.password },
    ].map((input) => signIn(base, input).catch((error: unknown) => error)),
  );
  expect(new Set(answers.map((error) => JSON.stringify([String(error), error]))).size).toBe(1);
  expect(answers[0]).toMatchObject({ code: "unauthenticated" });
});

test("tries are throttled per account, with growing pauses, also when many come at once", async () => {
  const { user, password } = await makeMember({ ...base, address: "198.51.100.200" });
  const stranger = { ...base, address: "198.51.100.7" };
  const guess = () =>
    signIn(stranger, { email: user.email, password: "wrong" }).catch((error: unknown) => error);
  const codes = (await Promise.all(Array.from({ length: 12 }, guess))).map(
    (error) => (error as { code: string }).code,
  );
  expect(codes.filter((code) => code === "unauthenticated")).toHaveLength(6);
  expect(codes.filter((code) => code === "throttled")).toHaveLength(6);
  await expect(signIn(stranger, { email: user.email, password })).rejects.toMatchObject({
    code: "throttled",
    retryAfter: 1,
  });
  api.clock.advance(2);
  await guess();
  await expect(guess()).resolves.toMatchObject({ code: "throttled", retryAfter: 2 });

  // An unknown address is blocked in the same way.
  const unknown = Array.from({ length: 8 }, () =>
    signIn({ ...base, address: "198.51.100.8" }, { email: "ghost@example.com", password: "x" }).catch(
      (error: unknown) => (error as { code: string }).code,
    ),
  );
  expect((await Promise.all(unknown)).filter((code) => code === "throttled")).toHaveLength(2);

  // The owner, from where they signed in before, is not locked out by the stranger.
  await signIn({ ...base, address: "198.51.100.200" }, { email: user.email, password });
});

test("an address that tries many accounts is throttled", async () => {
  const scanner = { ...base, address: "2001:db8:1::1" };
  const neighbour = { ...base, address: "2001:db8:1::ffff" };
  const results = await Promise.all(
    Array.from({ length: 24 }, (_, index) =>
      signIn(index % 2 ? scanner : neighbour, { email: `scan-${index}@example.com`, password: "x" }).catch(
        (error: unknown) => (error as { code: string }).code,
      ),
    ),
  );
  expect(results.filter((code) => code === "throttled")).toHaveLength(3);
});

test("a password that is reset while a sign-in with the old one is checked opens no session", async () => {
  const { user, password } = await makeMember(base);
  // The transaction that opens the session begins once the old password has been checked.
  const db = new Proxy(base.db, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (key !== "$transaction") return value;
      return async (work: Parameters<typeof target.$transaction>[0]) => {
        await target.user.update({ where: { id: user.id }, data: { passwordHash: "$reset" } });
        return await target.$transaction(work);
      };
    },
  });
  const late = signIn({ ...base, db }, { email: user.email, password });
  await expect(late).rejects.toMatchObject({ code: "unauthenticated" });
  expect(await base.db.session.count({ where: { userId: user.id } })).toBe(1);
});

test("a session ends at once when it is revoked, expired, idle, or its user disabled", async () => {
  const one = await makeMember(base);
  expect(await resolveSession(base, one.sessionId)).not.toBeNull();
  await revokeSession(one.ctx, { session: one.sessionId });
  expect(await resolveSession(base, one.sessionId)).toBeNull();
  await expect(revokeSession(one.ctx, { session: one.sessionId })).rejects.toMatchObject({
    code: "not_found",
  });
  expect(await actions(one.sessionId)).toEqual(["session.revoke"]);

  const two = await makeMember(base);
  const later = (days: number) => ({
    ...base,
    clock: { now: () => new Date(Date.now() + days * 24 * 3600_000) },
  });
  expect(await resolveSession(later(8), two.sessionId)).toBeNull();
  expect(await resolveSession(later(6), two.sessionId)).not.toBeNull();
  expect(await resolveSession(later(12), two.sessionId)).not.toBeNull();
  await base.db.session.update({ where: { id: two.sessionId }, data: { expiresAt: new Date() } });
  expect(await resolveSession(later(0), two.sessionId)).toBeNull();

  const three = await makeMember(base);
  await base.db.user.update({ where: { id: three.user.id }, data: { disabledAt: new Date() } });
  expect(await resolveSession(base, three.sessionId)).toBeNull();
  expect(await resolveSession(base, "not an id")).toBeNull();
});

test("when a session was last seen is written once a minute at most", async () => {
  const { sessionId } = await makeMember(base);
  const seen = async () => (await base.db.session.findUniqueOrThrow({ where: { id: sessionId } })).lastSeenAt;
  const first = await seen();
  await resolveSession(base, sessionId);
  expect(await seen()).toEqual(first);
  await resolveSession({ ...base, clock: { now: () => new Date(first.getTime() + 61_000) } }, sessionId);
  expect((await seen()).getTime()).toBe(first.getTime() + 61_000);
});

test("one's own sessions: listed page by page, the others ended", async () => {
  const { user, password, ctx } = await makeMember(base);
  const { sessionId } = await signIn(base, { email: user.email, password });
  const first = await listSessions(ctx, { limit: 1 });
  expect(first.items).toMatchObject([{ id: sessionId, current: false }]);
  const second = await listSessions(ctx, { limit: 1, cursor: first.nextCursor ?? "" });
  expect(second).toMatchObject({ items: [{ current: true }], nextCursor: null });
  expect(await revokeOtherSessions(ctx)).toEqual({ revoked: 1 });
  expect(await resolveSession(base, sessionId)).toBeNull();
  const other = await makeMember(base);
  const [theirs] = (await listSessions(other.ctx)).items;
  await expect(revokeSession(ctx, { session: theirs?.id ?? "" })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("changing one's password needs the current one and ends the other sessions", async () => {
  const { user, password, ctx } = await makeMember(base, { role: "viewer" });
  const other = await signIn(base, { email: user.email, password });
  await base.db.user.update({ where: { id: user.id }, data: { mustChangePassword: true } });
  await expect(changePassword(ctx, { current: "wrong", password: "another long one" })).rejects.toMatchObject(
    {
      fields: { current: expect.any(String) },
    },
  );
  await expect(changePassword(ctx, { current: password, password })).rejects.toMatchObject({
    fields: { password: expect.any(String) },
  });
  await changePassword(ctx, { current: password, password: "another long one" });
  expect(await resolveSession(base, other.sessionId)).toBeNull();
  expect(await getMe(ctx)).toMatchObject({ mustChangePassword: false });
  expect(await actions(user.id)).toContain("member.change-password");
  await signIn(base, { email: user.email, password: "another long one" });
});

test("the address that one signs in with changes with the password, to one that is free", async () => {
  const { user, ctx, password } = await makeMember(base);
  const { user: neighbour } = await makeMember(base);
  const email = `new-${user.email}`;
  await expect(changeEmail(ctx, { email, password: "a guess" })).rejects.toMatchObject({
    code: "invalid",
    fields: { password: expect.any(String) },
  });
  await expect(changeEmail(ctx, { email: neighbour.email, password })).rejects.toMatchObject({
    code: "conflict",
    fields: { email: expect.any(String) },
  });
  await changeEmail(ctx, { email: ` ${email.toUpperCase()} `, password });
  expect(await getMe(ctx)).toMatchObject({ email });
  await signIn(base, { email, password });
  await expect(signIn(base, { email: user.email, password })).rejects.toMatchObject({
    code: "unauthenticated",
  });
  const [event] = await base.db.auditEvent.findMany({ where: { action: "member.change-email" } });
  expect(event).toMatchObject({ before: { email: user.email }, after: { email } });
});
