import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { requirePerson } from "./require-person.ts";
import { newTotpSecret, totpAad, totpOf } from "./second-factor.ts";

/**
 * Makes a TOTP secret for one's own account; it counts once a code of it was confirmed. `uri` is for the QR
 * code, `secret` (base32) for typing. Throws `conflict` while a second factor is on.
 */
export async function startTotp(ctx: Ctx): Promise<{ secret: string; uri: string }> {
  const actor = requirePerson(ctx);
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
        remedy: "Switch it off first, then set up the new one.",
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
