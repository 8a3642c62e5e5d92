import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Db } from "../db/client.ts";
import { readRecoveryKits } from "../secrets/recovery-kits.ts";
import type { KeysDto } from "./schema.ts";

/** The keys of this install by their public names, newest first; no key is in it. */
export async function getKeys(ctx: Ctx): Promise<KeysDto> {
  requirePermission(ctx, "read");
  const [rows, kits, offHostCopy] = await Promise.all([
    ctx.db.keyCheck.findMany({ orderBy: [{ createdAt: "desc" }, { keyId: "desc" }] }),
    readRecoveryKits(ctx.db),
    hasOffHostCopy(ctx.db),
  ]);
  const inUse = kits.filter((kit) => kit.replacedAt === null);
  const server = rows.filter((row) => row.kind === "identity");
  return {
    secretKeys: rows
      .filter((row) => row.kind === "secret")
      .map((row) => ({ id: row.keyId, active: row.active, createdAt: row.createdAt.toISOString() })),
    recipients: [
      ...server.map((row) => ({
        recipient: row.keyId,
        kind: "server" as const,
        active: row.active,
        createdAt: row.createdAt.toISOString(),
      })),
      ...kits.map((kit) => ({
        recipient: kit.recipient,
        kind: "recovery" as const,
        active: kit.replacedAt === null,
        createdAt: kit.addedAt,
      })),
    ],
    encryption: process.env.HOLDFAST_ENCRYPTION !== "off",
    recoveryKit: {
      addedAt: inUse[0]?.addedAt ?? null,
      confirmedAt: inUse.find((kit) => kit.confirmedAt !== null)?.confirmedAt ?? null,
    },
    offHostCopy,
  };
}

/** Whether any stored copy lies on another host. */
async function hasOffHostCopy(db: Db): Promise<boolean> {
  const elsewhere = await db.destination.findMany({
    where: { offHost: true },
    select: { id: true },
  });
  if (elsewhere.length === 0) return false;
  const ids = elsewhere.map((destination) => destination.id);
  return (await db.copy.findFirst({ where: { destinationId: { in: ids }, state: "stored" } })) !== null;
}
