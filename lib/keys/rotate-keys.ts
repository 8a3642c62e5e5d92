import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { lockKeys, registerFolder } from "../secrets/check-keys.ts";
import { addIdentity, addSecretKey } from "../secrets/key-files.ts";
import type { Keyring } from "../secrets/keyring.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { keysMadeHere } from "../secrets/start-keyring.ts";
import { getKeys } from "./get-keys.ts";
import { resealAll } from "./reseal.ts";
import type { KeysDto } from "./schema.ts";

/** A backup that was running when its identity went out of use is still encrypted to it. */
const LONGEST_BACKUP_MS = 2 * 86_400_000;

/**
 * A new secret key and a new identity; every stored secret is sealed again. The files are written first: whatever
 * fails after that, both old and new keys are there and everything can be read. Old identities stay for the
 * backups that need them. Where keys are supplied, the new ones must lie in the key folder; `refused` otherwise.
 */
export async function rotateKeys(ctx: Ctx): Promise<KeysDto> {
  requirePermission(ctx, "key.write");
  const keyring = await processKeyring();
  await ctx.db.$transaction(
    async (tx) => {
      await lockKeys(tx);
      if (await keysMadeHere(tx)) await addFiles(ctx, keyring);
      else await requireSupplied(tx, keyring);
      const resealed = await resealAll(tx, keyring);
      await registerFolder(tx, keyring);
      const now = ctx.clock.now();
      const before = await tx.keyCheck.updateManyAndReturn({
        where: { kind: "secret", active: false, retiredAt: null },
        data: { retiredAt: now },
      });
      await retireIdentities(tx, now);
      const [recipient] = await keyring.identityRecipients();
      await emitAudit(tx, ctx, {
        action: "key.rotate",
        object: { kind: "key", id: keyring.secretKeyId },
        before: { keys: before.map((row) => row.keyId) },
        after: { key: keyring.secretKeyId, recipient, resealed },
      });
      await emitEvent(tx, "settings");
    },
    { maxWait: 10_000, timeout: 60_000 },
  );
  return await getKeys(ctx);
}

async function addFiles(ctx: Ctx, keyring: Keyring): Promise<void> {
  const now = ctx.clock.now();
  await addIdentity(keyring.folder, keyring.identities(), now);
  await addSecretKey(keyring.folder, now);
}

/** There must be a key that is newer than the one in use: unknown to the database, or not yet rotated to. */
async function requireSupplied(tx: Tx, keyring: Keyring): Promise<void> {
  const known = await tx.keyCheck.findMany({ where: { kind: "secret", retiredAt: null } });
  if (!known.some((row) => row.keyId === keyring.secretKeyId) || known.length > 1) return;
  throw new HoldfastError("refused", `There is no newer secret key in ${keyring.folder}.`, {
    remedy:
      "Make one with `openssl rand -base64 32 > secret-<id>.key`, with an <id> that sorts behind " +
      `${keyring.secretKeyId}, and put a new \`age-keygen\` identity at the top of identity.txt; copy both to the key ` +
      "folder of every machine of this install, then rotate again.",
  });
}

/** An identity out of use that no backup can need any more need not be there at the next start. */
async function retireIdentities(tx: Tx, now: Date): Promise<void> {
  const identities = await tx.keyCheck.findMany({
    where: { kind: "identity" },
    orderBy: [{ createdAt: "asc" }, { active: "asc" }],
  });
  for (const [index, identity] of identities.entries()) {
    const next = identities[index + 1];
    if (identity.active || identity.retiredAt !== null || !next) continue;
    const until = new Date(next.createdAt.getTime() + LONGEST_BACKUP_MS);
    if (until > now) continue;
    const needed = await tx.backup.findFirst({
      where: { createdAt: { lte: until }, copies: { some: { state: { notIn: ["missing", "failed"] } } } },
      select: { id: true },
    });
    if (needed) continue;
    await tx.keyCheck.update({ where: { keyId: identity.keyId }, data: { retiredAt: now } });
  }
}
