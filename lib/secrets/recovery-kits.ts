import { z } from "zod";
import type { Tx } from "../db/client.ts";

const KEY = "recovery-kits";

/** A recovery recipient that was handed out. Its identity is nowhere here; `ending` is a digest of its end. */
const kitSchema = z.object({
  recipient: z.string(),
  endingDigest: z.string(),
  addedAt: z.string(),
  confirmedAt: z.string().nullable(),
  /** When a newer, confirmed kit took its place. */
  replacedAt: z.string().nullable(),
});
export type RecoveryKitRow = z.infer<typeof kitSchema>;

/** All kits ever made, newest first. */
export async function readRecoveryKits(db: Pick<Tx, "setting">): Promise<RecoveryKitRow[]> {
  const row = await db.setting.findUnique({ where: { key: KEY } });
  return row ? z.array(kitSchema).parse(row.value) : [];
}

export async function writeRecoveryKits(tx: Pick<Tx, "setting">, kits: RecoveryKitRow[]): Promise<void> {
  await tx.setting.upsert({
    where: { key: KEY },
    create: { key: KEY, value: kits },
    update: { value: kits },
  });
}

/** Recipients that new backups are encrypted to, besides the server's own: every kit not yet replaced. */
export function recoveryRecipients(kits: RecoveryKitRow[]): string[] {
  return kits.filter((kit) => kit.replacedAt === null).map((kit) => kit.recipient);
}

/**
 * Whether losing this host's keys would not lose the backups: a kit in use was confirmed, or what is written now
 * is not encrypted (HOLDFAST_ENCRYPTION).
 */
export async function kitConfirmed(db: Pick<Tx, "setting">): Promise<boolean> {
  if (process.env.HOLDFAST_ENCRYPTION === "off") return true;
  const kits = await readRecoveryKits(db);
  return kits.some((kit) => kit.replacedAt === null && kit.confirmedAt !== null);
}
