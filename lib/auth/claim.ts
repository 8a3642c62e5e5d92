import { randomBytes } from "node:crypto";
import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { asSystem } from "../context.ts";
import type { Db, Tx } from "../db/client.ts";
import type { Env } from "../env.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import { toMember } from "../members/member-dto.ts";
import type { MemberDto } from "../members/schema.ts";
import { claimInput, email as emailShape } from "../members/schema.ts";
import { addressGroup } from "./client-address.ts";
import { hashPassword } from "./passwords.ts";
import { secretHash } from "./resolve-token.ts";
import { countTry, forgiveTry } from "./throttle.ts";

/** Whether the first account exists. Once true it stays true, so that a process asks only until then. */
export async function isClaimed(db: Db): Promise<boolean> {
  const install = await db.install.findFirst({ select: { claimedAt: true } });
  return install?.claimedAt != null;
}

/**
 * While nobody has claimed this install: a fresh one-time token, which replaces any earlier one; it is stored
 * hashed. Null once claimed. The start prints it on the console.
 */
export async function ensureClaimToken(ctx: Omit<Ctx, "actor">): Promise<string | null> {
  const token = randomBytes(18).toString("base64url");
  const { count } = await ctx.db.install.updateMany({
    where: { claimedAt: null },
    data: { claimTokenHash: secretHash(token) },
  });
  return count === 1 ? token : null;
}

/**
 * Makes the first account, an admin, for whoever holds the console's token; of several at once exactly one
 * wins. Needs no sign-in. Throws `refused` when the install is claimed or the token is not the current one.
 */
export async function claim(ctx: Omit<Ctx, "actor">, input: z.input<typeof claimInput>): Promise<MemberDto> {
  const { token, email, name, password } = claimInput.parse(input);
  const key = { kind: "address", name: addressGroup(ctx.address ?? "unknown") } as const;
  await countTry(ctx, key);
  const hash = secretHash(token);
  const open = await ctx.db.install.count({ where: { claimedAt: null, claimTokenHash: hash } });
  if (open === 0) throw await whyNot(ctx.db);
  const member = await makeFirstAccount(ctx, { email, name, password, claimTokenHash: hash });
  if (!member) throw await whyNot(ctx.db);
  await forgiveTry(ctx, key);
  return member;
}

/**
 * Unattended set-up from HOLDFAST_ADMIN_EMAIL and HOLDFAST_ADMIN_PASSWORD. Does nothing (null) when they are
 * not set or the install is claimed.
 */
export async function claimFromEnv(ctx: Omit<Ctx, "actor">, env: Env): Promise<MemberDto | null> {
  const { HOLDFAST_ADMIN_EMAIL, HOLDFAST_ADMIN_PASSWORD: password } = env;
  if (!HOLDFAST_ADMIN_EMAIL || !password || (await isClaimed(ctx.db))) return null;
  const email = emailShape.parse(HOLDFAST_ADMIN_EMAIL);
  return await makeFirstAccount(ctx, { email, name: email.split("@")[0] ?? email, password });
}

async function makeFirstAccount(
  ctx: Omit<Ctx, "actor">,
  given: { email: string; name: string; password: string; claimTokenHash?: string },
): Promise<MemberDto | null> {
  const passwordHash = await hashPassword(given.password);
  return await ctx.db.$transaction(async (tx) => {
    if (!(await closeClaim(tx, ctx, given.claimTokenHash))) return null;
    const user = await tx.user.create({
      data: {
        id: newId(),
        email: given.email,
        name: given.name,
        passwordHash,
        role: "admin",
        createdAt: ctx.clock.now(),
      },
    });
    await emitAudit(tx, asSystem(ctx, "first set-up"), {
      action: "install.claim",
      object: { kind: "member", id: user.id, name: user.email },
      after: { email: user.email, name: user.name, role: user.role },
    });
    await emitEvent(tx, "settings", user.id);
    return toMember(user);
  });
}

/** Conditional update: true for the one caller that closes it. */
async function closeClaim(
  tx: Tx,
  ctx: Omit<Ctx, "actor">,
  claimTokenHash: string | undefined,
): Promise<boolean> {
  const { count } = await tx.install.updateMany({
    where: { claimedAt: null, ...(claimTokenHash ? { claimTokenHash } : {}) },
    data: { claimedAt: ctx.clock.now(), claimTokenHash: null },
  });
  return count === 1;
}

async function whyNot(db: Db): Promise<HoldfastError> {
  if (await isClaimed(db)) {
    return new HoldfastError("refused", "This install has been claimed already.", {
      remedy: "Sign in, or ask its admin for an invitation.",
    });
  }
  return new HoldfastError("refused", "This token is not the current one.", {
    remedy: "Paste the token that the console printed last; starting again prints a new one.",
    fields: { token: "not the current token" },
  });
}
