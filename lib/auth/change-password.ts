import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { changePasswordInput } from "../members/schema.ts";
import { confirmPassword } from "./confirm-password.ts";
import { endSessions } from "./end-sessions.ts";
import { hashPassword } from "./passwords.ts";
import { requirePerson } from "./require-person.ts";

/**
 * Changes one's own password and ends one's other sessions. Throws `invalid` when `current` is wrong or the
 * new one is the same, `conflict` when the password was changed meanwhile.
 */
export async function changePassword(ctx: Ctx, input: z.input<typeof changePasswordInput>): Promise<void> {
  const actor = requirePerson(ctx);
  const { current, password } = changePasswordInput.parse(input);
  const user = await confirmPassword(ctx, current, "current");
  if (current === password) {
    throw new HoldfastError("invalid", "The new password is the current one.", {
      fields: { password: "the same as now" },
    });
  }
  const passwordHash = await hashPassword(password);
  await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.user.updateMany({
      where: { id: user.id, passwordHash: user.passwordHash },
      data: { passwordHash, mustChangePassword: false },
    });
    if (count === 0) throw new HoldfastError("conflict", "Your password was changed meanwhile.");
    const ended = await endSessions(tx, ctx, user.id, actor.sessionId);
    await emitAudit(tx, ctx, {
      action: "member.change-password",
      object: { kind: "member", id: user.id, name: user.email },
      after: { endedSessions: ended },
    });
    await emitEvent(tx, "settings", user.id);
  });
}
