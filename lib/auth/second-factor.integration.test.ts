import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestApi } from "../api/testing/test-api.ts";
import { createTestApi } from "../api/testing/test-api.ts";
import type { Ctx } from "../context.ts";
import { resetTotp } from "../members/reset-totp.ts";
import type { TestMember } from "../members/testing/make-member.ts";
import { makeMember } from "../members/testing/make-member.ts";
import { confirmTotp } from "./confirm-totp.ts";
import { disableTotp } from "./disable-totp.ts";
import { getMe } from "./get-me.ts";
import { makeRecoveryCodes } from "./make-recovery-codes.ts";
import { totpOf } from "./second-factor.ts";
import { signIn } from "./sign-in.ts";
import { startTotp } from "./start-totp.ts";

let api: TestApi;
let base: Omit<Ctx, "actor">;
/** On a step's first second, so that no test straddles two. */
let now: number;
beforeAll(async () => {
  api = await createTestApi();
  now = Math.floor(Date.now() / 30_000) * 30_000;
  base = { ...api.base, clock: { now: () => new Date(now) } };
});
afterAll(async () => {
  await api.close();
});

const codeAt = (secret: string, time: number) => totpOf(secret, "x").generate({ timestamp: time });

async function withSecondFactor(): Promise<TestMember & { secret: string; recoveryCodes: string[] }> {
  const member = await makeMember(base);
  const { secret } = await startTotp(member.ctx, { password: member.password });
  const { recoveryCodes } = await confirmTotp(member.ctx, { code: codeAt(secret, now) });
  now += 30_000;
  return { ...member, secret, recoveryCodes };
}

test("it is on after a first code, and is stored sealed", async () => {
  const { user, ctx, password, secret, recoveryCodes } = await withSecondFactor();
  expect(recoveryCodes).toHaveLength(10);
  expect(recoveryCodes[0]).toMatch(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
  const row = await base.db.user.findUniqueOrThrow({ where: { id: user.id } });
  expect(JSON.stringify([row.totpSecretSealed, row.recoveryCodeHashes])).not.toContain(secret);
  expect(row.totpSecretSealed).toMatch(/^v1\./);
  await expect(startTotp(ctx, { password })).rejects.toMatchObject({ code: "conflict" });
  const events = await base.db.auditEvent.findMany({ where: { objectId: user.id } });
  expect(events.map((event) => event.action)).toEqual(["member.start-totp", "member.enable-totp"]);
  expect(JSON.stringify(events)).not.toContain(secret);
});

test("nobody sets one up, or makes recovery codes, in a session that was left open", async () => {
  const { user, ctx } = await makeMember(base);
  const wrong = { code: "invalid", fields: { password: expect.any(String) } };
  await expect(startTotp(ctx, { password: "a guess" })).rejects.toMatchObject(wrong);
  expect((await base.db.user.findUniqueOrThrow({ where: { id: user.id } })).totpSecretSealed).toBeNull();
  const other = await withSecondFactor();
  await expect(makeRecoveryCodes(other.ctx, { password: "a guess" })).rejects.toMatchObject(wrong);
  await signIn(base, {
    email: other.user.email,
    password: other.password,
    code: other.recoveryCodes[0],
  });
});

test("new recovery codes take the place of the earlier ones", async () => {
  const { user, ctx, password, recoveryCodes } = await withSecondFactor();
  await signIn(base, { email: user.email, password, code: recoveryCodes[0] });
  expect((await getMe(ctx)).recoveryCodesLeft).toBe(9);
  const { recoveryCodes: fresh } = await makeRecoveryCodes(ctx, { password });
  expect((await getMe(ctx)).recoveryCodesLeft).toBe(10);
  await expect(signIn(base, { email: user.email, password, code: recoveryCodes[1] })).rejects.toMatchObject({
    code: "unauthenticated",
  });
  await signIn(base, { email: user.email, password, code: fresh[0] });
  const [event] = await base.db.auditEvent.findMany({ where: { action: "member.make-recovery-codes" } });
  expect(event).toMatchObject({ objectId: user.id, before: { left: 9 }, after: { left: 10 } });
  expect(JSON.stringify(event)).not.toContain(fresh[0]);
  const without = await makeMember(base);
  await expect(makeRecoveryCodes(without.ctx, { password: without.password })).rejects.toMatchObject({
    code: "conflict",
  });
  expect((await getMe(without.ctx)).recoveryCodesLeft).toBeNull();
});

test("a wrong first code does not switch it on", async () => {
  const { user, ctx, password } = await makeMember(base);
  await expect(confirmTotp(ctx, { code: "123456" })).rejects.toMatchObject({ code: "conflict" });
  const { secret } = await startTotp(ctx, { password });
  await expect(confirmTotp(ctx, { code: codeAt(secret, now + 300_000) })).rejects.toMatchObject({
    code: "invalid",
  });
  await signIn(base, { email: user.email, password });
});

test("signing in needs the code in the same submit; no code, a wrong and an old one get one answer", async () => {
  const { user, password, secret } = await withSecondFactor();
  const login = (code?: string) => signIn(base, { email: user.email, password, code });
  for (const code of [undefined, "", "000000", codeAt(secret, now - 90_000), "not-a-code"]) {
    await expect(login(code)).rejects.toMatchObject({
      code: "unauthenticated",
      message: expect.stringMatching(/E-mail, password or code/),
    });
  }
  now += 60_000;
  expect((await login(codeAt(secret, now))).userId).toBe(user.id);
});

test("one step before and after now are accepted, a used code never again", async () => {
  const { user, password, secret } = await withSecondFactor();
  const login = (time: number) =>
    signIn(base, { email: user.email, password, code: codeAt(secret, time) }).then(
      () => "in",
      () => "refused",
    );
  now += 30_000;
  expect(await login(now - 30_000)).toBe("in");
  expect(await login(now - 30_000)).toBe("refused");
  const both = await Promise.all([login(now), login(now)]);
  expect(both.sort()).toEqual(["in", "refused"]);
  expect(await login(now + 30_000)).toBe("in");
  expect(await login(now)).toBe("refused");
});

test("a recovery code works once", async () => {
  const { user, password, recoveryCodes } = await withSecondFactor();
  const [first = "", second = ""] = recoveryCodes;
  const login = (code: string) => signIn(base, { email: user.email, password, code });
  const both = await Promise.allSettled([login(first), login(first.toUpperCase().replaceAll("-", " "))]);
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  await expect(login(first)).rejects.toMatchObject({ code: "unauthenticated" });
  await login(second);
  const { recoveryCodeHashes } = await base.db.user.findUniqueOrThrow({ where: { id: user.id } });
  expect(recoveryCodeHashes).toHaveLength(8);
});

test("a recovery code is not spent on a wrong password", async () => {
  const { user, recoveryCodes } = await withSecondFactor();
  const [code] = recoveryCodes;
  await expect(signIn(base, { email: user.email, password: "wrong", code })).rejects.toThrow();
  const { recoveryCodeHashes } = await base.db.user.findUniqueOrThrow({ where: { id: user.id } });
  expect(recoveryCodeHashes).toHaveLength(10);
});

test("it is switched off with the password, or by an admin", async () => {
  const one = await withSecondFactor();
  await expect(disableTotp(one.ctx, { password: "wrong" })).rejects.toMatchObject({ code: "invalid" });
  await disableTotp(one.ctx, { password: one.password });
  await signIn(base, { email: one.user.email, password: one.password });

  const two = await withSecondFactor();
  const viewer = await makeMember(base, { role: "operator" });
  await expect(resetTotp(viewer.ctx, { member: two.user.id })).rejects.toMatchObject({ code: "forbidden" });
  expect(await resetTotp(one.ctx, { member: two.user.id })).toMatchObject({ totp: false });
  await signIn(base, { email: two.user.email, password: two.password });
  const [event] = await base.db.auditEvent.findMany({
    where: { objectId: two.user.id, action: "member.reset-totp" },
  });
  expect(event).toMatchObject({ actorId: one.user.id, before: { enabled: true }, after: { enabled: false } });
});

test("the password can't be guessed by way of switching it off", async () => {
  const { ctx } = await withSecondFactor();
  const codes: string[] = [];
  for (let index = 0; index < 7; index += 1) {
    codes.push(
      (await disableTotp(ctx, { password: "guess" }).catch((error) => (error as { code: string }).code)) ??
        "",
    );
  }
  expect(codes.at(0)).toBe("invalid");
  expect(codes.at(-1)).toBe("throttled");
});
