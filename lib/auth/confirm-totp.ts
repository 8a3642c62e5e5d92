import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { totpConfirmInput } from "../members/schema.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { requirePerson } from "./require-person.ts";
import { newRecoveryCodes, totpAad, totpStep } from "./second-factor.ts";

/**
 * Switches the second factor on with a first code from the app. Returns ten recovery codes, shown once and
 * stored hashed. Throws `invalid` for a wrong code, `conflict` when nothing was started or it is on already.
 */
export async function confirmTotp(
  ctx: Ctx,
  input: z.input<typeof totpConfirmInput>,
): Promise<{ recoveryCodes: string[] }> {
  const actor = requirePerson(ctx);
  const { code } = totpConfirmInput.parse(input);
  const now = ctx.clock.now();
  const user = await ctx.db.user.findUniqueOrThrow({ where: { id: actor.id } });
  if (!user.totpSecretSealed || user.totpEnabledAt) throw notStarted();
  const secret = (await processKeyring()).open(user.totpSecretSealed, totpAad(user.id));
  const step = totpStep(secret, code, now);
  if (step === null) {
    throw new HoldfastError("invalid", "This is not the current code.", {
      remedy: "Give the code that the app shows now; if it stays wrong, check the clock of your phone.",
      fields: { code: "not the current code" },
    });
  }
  const { codes, hashes } = newRecoveryCodes();
  await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.user.updateMany({
      where: { id: user.id, totpEnabledAt: null, totpSecretSealed: user.totpSecretSealed },
      data: { totpEnabledAt: now, totpLastStep: step, recoveryCodeHashes: hashes },
    });
    if (count === 0) throw notStarted();
    await emitAudit(tx, ctx, {
      action: "member.enable-totp",
      object: { kind: "member", id: user.id, name: user.email },
    });
    await emitEvent(tx, "settings", user.id);
  });
  return { recoveryCodes: codes };
}

function notStarted(): HoldfastError {
  return new HoldfastError("conflict", "No second factor is waiting for its first code.", {
    remedy: "Start setting it up again.",
  });
}
