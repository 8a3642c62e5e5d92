import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { ownPasswordInput } from "../members/schema.ts";
import { confirmPassword } from "./confirm-password.ts";
import { requirePerson } from "./require-person.ts";
import { newRecoveryCodes } from "./second-factor.ts";

/**
 * Ten new recovery codes in the place of all earlier ones, with the password typed again; shown once and stored
 * hashed. Throws `invalid` when the password is wrong, `conflict` without a second factor.
 */
export async function makeRecoveryCodes(
  ctx: Ctx,
  input: z.input<typeof ownPasswordInput>,
): Promise<{ recoveryCodes: string[] }> {
  requirePerson(ctx);
  const { password } = ownPasswordInput.parse(input);
  const user = await confirmPassword(ctx, password);
  const { codes, hashes } = newRecoveryCodes();
  await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.user.updateMany({
      where: { id: user.id, totpEnabledAt: { not: null } },
      data: { recoveryCodeHashes: hashes },
    });
    if (count === 0) {
      throw new HoldfastError("conflict", "Your account has no second factor.", {
        remedy: "Set one up first: recovery codes stand in for it.",
      });
    }
    await emitAudit(tx, ctx, {
      action: "member.make-recovery-codes",
      object: { kind: "member", id: user.id, name: user.email },
      before: { left: user.recoveryCodeHashes.length },
      after: { left: codes.length },
    });
    await emitEvent(tx, "settings", user.id);
  });
  return { recoveryCodes: codes };
}
