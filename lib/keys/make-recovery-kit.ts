import { generateIdentity, identityToRecipient } from "age-encryption";
import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { emitEvent } from "../events/emit.ts";
import { lockKeys } from "../secrets/check-keys.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import type { RecoveryKitRow } from "../secrets/recovery-kits.ts";
import { readRecoveryKits, writeRecoveryKits } from "../secrets/recovery-kits.ts";
import { endingDigest } from "./kit-ending.ts";
import type { RecoveryKit } from "./schema.ts";

/**
 * Makes a recovery identity and returns it, this once; only its recipient is kept. New backups are encrypted to
 * it from now on. A confirmed kit stays in use beside it until this one is confirmed, too.
 */
export async function makeRecoveryKit(ctx: Ctx): Promise<RecoveryKit> {
  requirePermission(ctx, "key.write");
  const { auditKey } = await processKeyring();
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  const createdAt = ctx.clock.now().toISOString();
  const kit: RecoveryKitRow = {
    recipient,
    endingDigest: endingDigest(auditKey, identity),
    addedAt: createdAt,
    confirmedAt: null,
    replacedAt: null,
  };
  const installId = await ctx.db.$transaction(async (tx) => {
    await lockKeys(tx);
    const older = (await readRecoveryKits(tx)).map((one) =>
      one.confirmedAt === null && one.replacedAt === null ? { ...one, replacedAt: createdAt } : one,
    );
    await writeRecoveryKits(tx, [kit, ...older]);
    const install = await tx.install.findFirstOrThrow({ select: { id: true } });
    await emitAudit(tx, ctx, {
      action: "recovery-kit.create",
      object: { kind: "key" },
      after: { recipient },
    });
    await emitEvent(tx, "settings");
    await emitEvent(tx, "overview");
    return install.id;
  });
  return { installId, recipient, identity, createdAt, commands: recoveryCommands(identity) };
}

/** What to type on a machine that has nothing but the kit, a copy of a backup and the stock tools. */
function recoveryCommands(identity: string): string[] {
  return [
    `echo '${identity}' > recovery.txt && chmod 600 recovery.txt`,
    "age -d -i recovery.txt dump.pgdump.zst.age | zstd -d > dump.pgdump",
    "pg_restore --no-owner -d NEW_DATABASE dump.pgdump",
    "age -d -i recovery.txt dump.sqlite.zst.age | zstd -d > restored.db",
  ];
}
