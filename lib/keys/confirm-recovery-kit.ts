import { timingSafeEqual } from "node:crypto";
import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { lockKeys } from "../secrets/check-keys.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { readRecoveryKits, writeRecoveryKits } from "../secrets/recovery-kits.ts";
import { getKeys } from "./get-keys.ts";
import { endingDigest } from "./kit-ending.ts";
import type { KeysDto } from "./schema.ts";
import { confirmKitInput } from "./schema.ts";

/** Confirms the newest kit by the end of its identity, as printed; kits before it are then out of use. */
export async function confirmRecoveryKit(ctx: Ctx, input: z.input<typeof confirmKitInput>): Promise<KeysDto> {
  requirePermission(ctx, "key.write");
  const { ending } = confirmKitInput.parse(input);
  const { auditKey } = await processKeyring();
  await ctx.db.$transaction(async (tx) => {
    await lockKeys(tx);
    const [newest, ...older] = await readRecoveryKits(tx);
    if (!newest || newest.replacedAt !== null) {
      throw new HoldfastError("conflict", "There is no recovery kit to confirm.", {
        remedy: "Make one first.",
      });
    }
    if (!sameText(newest.endingDigest, endingDigest(auditKey, ending))) {
      throw new HoldfastError("invalid", "The newest recovery kit does not end like this.", {
        remedy: "Type the last 8 characters of the identity on the kit; if it is lost, make a new one.",
        fields: { ending: "not the end of the newest kit" },
      });
    }
    const now = ctx.clock.now().toISOString();
    await writeRecoveryKits(tx, [
      { ...newest, confirmedAt: newest.confirmedAt ?? now },
      ...older.map((kit) => ({ ...kit, replacedAt: kit.replacedAt ?? now })),
    ]);
    const { recipient } = newest;
    await emitAudit(tx, ctx, {
      action: "recovery-kit.confirm",
      object: { kind: "key" },
      after: { recipient },
    });
    await emitEvent(tx, "settings");
    await emitEvent(tx, "overview");
  });
  return await getKeys(ctx);
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
