import { randomBytes } from "node:crypto";
import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { requireGrantable } from "../auth/grantable.ts";
import { requirePermission } from "../auth/permissions.ts";
import { secretHash } from "../auth/resolve-token.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import { toInvite } from "./invite-dto.ts";
import type { InviteDto } from "./schema.ts";
import { createInviteInput } from "./schema.ts";

const VALID_DAYS = 7;

/**
 * Makes a link with which one person can make their account within 7 days; it is returned once and stored
 * hashed. An earlier open invitation of the same address is revoked. Throws `conflict` for a member's address.
 */
export async function createInvite(
  ctx: Ctx,
  input: z.input<typeof createInviteInput>,
): Promise<InviteDto & { url: string }> {
  requirePermission(ctx, "member.write");
  const { email, name, role, environments, applications } = createInviteInput.parse(input);
  const token = randomBytes(32).toString("base64url");
  const now = ctx.clock.now();
  const invite = await ctx.db.$transaction(async (tx) => {
    await requireGrantable(tx, ctx, { role, environments, applications });
    if ((await tx.user.count({ where: { email } })) > 0) {
      throw new HoldfastError("conflict", `${email} is a member already.`, {
        remedy: "Change their role, or enable the account, in the list of members.",
        fields: { email: "a member already" },
      });
    }
    await tx.invite.updateMany({
      where: { email, acceptedAt: null, revokedAt: null },
      data: { revokedAt: now },
    });
    const made = await tx.invite.create({
      data: {
        id: newId(),
        email,
        name,
        role,
        scopeEnvironments: environments,
        scopeApplications: applications,
        tokenHash: secretHash(token),
        invitedBy: ctx.actor.kind === "system" ? ctx.actor.name : ctx.actor.id,
        createdAt: now,
        expiresAt: new Date(now.getTime() + VALID_DAYS * 24 * 3600_000),
      },
    });
    await emitAudit(tx, ctx, {
      action: "invite.create",
      object: { kind: "invite", id: made.id, name: email },
      after: { email, name, role, environments, applications, expiresAt: made.expiresAt },
    });
    await emitEvent(tx, "settings", made.id);
    return made;
  });
  const path = `/invite?token=${token}`;
  const url = ctx.publicUrl ? new URL(path, ctx.publicUrl).href : path;
  return { ...toInvite(invite, () => ctx.actor.name), url };
}
