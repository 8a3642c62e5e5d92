import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { addressGroup } from "../auth/client-address.ts";
import { hashPassword } from "../auth/passwords.ts";
import { secretHash } from "../auth/resolve-token.ts";
import { countTry, forgiveTry } from "../auth/throttle.ts";
import type { Ctx } from "../context.ts";
import { asSystem } from "../context.ts";
import type { Invite } from "../db/generated/client.ts";
import { Prisma } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import { toMember } from "./member-dto.ts";
import type { MemberDto } from "./schema.ts";
import { acceptInviteInput } from "./schema.ts";

/** The open invitation of a link, for the page that accepts it. Throws `not_found`. */
export async function openInvite(
  ctx: Omit<Ctx, "actor">,
  input: { token: string },
): Promise<{ email: string; name: string; expiresAt: string }> {
  const { email, name, expiresAt } = await findOpen(ctx, input.token);
  return { email, name, expiresAt: expiresAt.toISOString() };
}

/**
 * Makes the account that a link invites to, with the password of whoever holds it; a link works once. Needs no
 * sign-in. Throws `not_found` for a link that is used, revoked, expired or made up.
 */
export async function acceptInvite(
  ctx: Omit<Ctx, "actor">,
  input: z.input<typeof acceptInviteInput>,
): Promise<MemberDto> {
  const { token, password } = acceptInviteInput.parse(input);
  const key = { kind: "address", name: addressGroup(ctx.address ?? "unknown") } as const;
  await countTry(ctx, key);
  const invite = await findOpen(ctx, token);
  const passwordHash = await hashPassword(password);
  const member = await makeAccount(ctx, invite, passwordHash);
  await forgiveTry(ctx, key);
  return member;
}

async function findOpen(ctx: Omit<Ctx, "actor">, token: string): Promise<Invite> {
  const invite = await ctx.db.invite.findFirst({
    where: {
      tokenHash: secretHash(token),
      acceptedAt: null,
      revokedAt: null,
      expiresAt: { gt: ctx.clock.now() },
    },
  });
  if (!invite) throw notOpen();
  return invite;
}

async function makeAccount(
  ctx: Omit<Ctx, "actor">,
  invite: Invite,
  passwordHash: string,
): Promise<MemberDto> {
  const now = ctx.clock.now();
  const { email, name, role, scopeEnvironments, scopeApplications } = invite;
  try {
    return await ctx.db.$transaction(async (tx) => {
      const { count } = await tx.invite.updateMany({
        where: { id: invite.id, acceptedAt: null, revokedAt: null, expiresAt: { gt: now } },
        data: { acceptedAt: now },
      });
      if (count === 0) throw notOpen();
      const user = await tx.user.create({
        data: {
          id: newId(),
          email,
          name,
          role,
          scopeEnvironments,
          scopeApplications,
          passwordHash,
          createdAt: now,
        },
      });
      await emitAudit(tx, asSystem(ctx, "invitation"), {
        action: "invite.accept",
        object: { kind: "member", id: user.id, name: email },
        after: {
          email,
          name,
          role,
          environments: scopeEnvironments,
          applications: scopeApplications,
          invite: invite.id,
        },
      });
      await emitEvent(tx, "settings", user.id);
      return toMember(user);
    });
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002") throw notOpen();
    throw error;
  }
}

function notOpen(): HoldfastError {
  return new HoldfastError("not_found", "This invitation was used, revoked or has expired.", {
    remedy: "Ask an admin for a new one.",
    fields: { token: "not an open invitation" },
  });
}
