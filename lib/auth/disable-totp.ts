import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { emitEvent } from "../events/emit.ts";
import { ownPasswordInput } from "../members/schema.ts";
import { confirmPassword } from "./confirm-password.ts";
import { requirePerson } from "./require-person.ts";
import { NO_TOTP } from "./second-factor.ts";

/** Switches one's own second factor off, with the password typed again. Throws `invalid` when that is wrong. */
export async function disableTotp(ctx: Ctx, input: z.input<typeof ownPasswordInput>): Promise<void> {
  requirePerson(ctx);
  const { password } = ownPasswordInput.parse(input);
  const user = await confirmPassword(ctx, password);
  await ctx.db.$transaction(async (tx) => {
    await tx.user.update({ where: { id: user.id }, data: NO_TOTP });
    await emitAudit(tx, ctx, {
      action: "member.disable-totp",
      object: { kind: "member", id: user.id, name: user.email },
    });
    await emitEvent(tx, "settings", user.id);
  });
}
