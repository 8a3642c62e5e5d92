import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import { NO_TOTP } from "../auth/second-factor.ts";
import type { Ctx } from "../context.ts";
import { emitEvent } from "../events/emit.ts";
import { findMember } from "./find-member.ts";
import { toMember } from "./member-dto.ts";
import type { MemberDto } from "./schema.ts";

/** Switches off the second factor of a member who lost it; they sign in with the password alone until they set up a new one. */
export async function resetTotp(ctx: Ctx, input: { member: string }): Promise<MemberDto> {
  requirePermission(ctx, "member.write");
  return await ctx.db.$transaction(async (tx) => {
    const user = await findMember(tx, input.member);
    const saved = await tx.user.update({ where: { id: user.id }, data: NO_TOTP });
    await emitAudit(tx, ctx, {
      action: "member.reset-totp",
      object: { kind: "member", id: user.id, name: user.email },
      before: { enabled: user.totpEnabledAt !== null },
      after: { enabled: false },
    });
    await emitEvent(tx, "settings", user.id);
    return toMember(saved);
  });
}
