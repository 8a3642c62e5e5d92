import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { ownPasswordInput } from "../members/schema.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { confirmPassword } from "./confirm-password.ts";
import { requirePerson } from "./require-person.ts";
import { newTotpSecret, totpAad, totpOf } from "./second-factor.ts";

/**
 * Makes a TOTP secret for one's own account, with the password typed again: whoever sets up a second factor decides
 * who signs in. It counts once a code of it was confirmed. `uri` is for the QR code, `secret` (base32) for typing.
 * Throws `invalid` when the password is wrong, `conflict` while a second factor is on.
 */
export async function startTotp(
  ctx: Ctx,
  input: z.input<typeof ownPasswordInput>,
): Promise<{ secret: string; uri: string }> {
  const actor = requirePerson(ctx);
  const { password } = ownPasswordInput.parse(input);
  await confirmPassword(ctx, password);
  const keyring = await processKeyring();
  const secret = newTotpSecret();
  const totpSecretSealed = keyring.seal(secret, totpAad(actor.id));
  return await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.user.updateMany({
      where: { id: actor.id, totpEnabledAt: null },
      data: { totpSecretSealed, totpLastStep: null },
    });
    if (count === 0) {
      throw new HoldfastError("conflict", "A second factor is on already.", {
        remedy: "Turn it off first, then set up the new one.",
      });
    }
    const user = await tx.user.findUniqueOrThrow({ where: { id: actor.id } });
    await emitAudit(tx, ctx, {
      action: "member.start-totp",
      object: { kind: "member", id: user.id, name: user.email },
    });
    return { secret, uri: totpOf(secret, user.email).toString() };
  });
}
