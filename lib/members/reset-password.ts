import { randomInt } from "node:crypto";
import { emitAudit } from "../audit/emit.ts";
import { endSessions } from "../auth/end-sessions.ts";
import { hashPassword } from "../auth/passwords.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { findMember } from "./find-member.ts";

/** Without characters that are read wrong: 0 O 1 l I. */
const ALPHABET = "abcdefghijkmnopqrstuvwxyz23456789";

/**
 * Gives a member a temporary password (returned once; 20 characters, 100 bits) that must be changed at the
 * next sign-in, and ends their sessions. Throws `refused` for oneself.
 */
export async function resetPassword(
  ctx: Ctx,
  input: { member: string },
): Promise<{ temporaryPassword: string }> {
  requirePermission(ctx, "member.write");
  const user = await findMember(ctx.db, input.member);
  if (ctx.actor.kind === "user" && ctx.actor.id === user.id) {
    throw new HoldfastError("refused", "This is your own account.", {
      remedy: "Change your password under your account.",
    });
  }
  const temporaryPassword = Array.from({ length: 20 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
  const passwordHash = await hashPassword(temporaryPassword);
  await ctx.db.$transaction(async (tx) => {
    await tx.user.update({ where: { id: user.id }, data: { passwordHash, mustChangePassword: true } });
    const endedSessions = await endSessions(tx, ctx, user.id);
    const account = `account:${user.email}`;
    await tx.loginThrottle.deleteMany({
      where: { OR: [{ key: account }, { key: { startsWith: `${account}@` } }] },
    });
    await emitAudit(tx, ctx, {
      action: "member.reset-password",
      object: { kind: "member", id: user.id, name: user.email },
      after: { endedSessions },
    });
    await emitEvent(tx, "settings", user.id);
  });
  return { temporaryPassword };
}
