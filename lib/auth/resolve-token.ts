import { createHash } from "node:crypto";
import type { Ctx } from "../context.ts";
import { tokenRole, tokenState, WITH_OWNER } from "../tokens/token-dto.ts";

const SEEN_EVERY_MS = 60_000;
/** "hf_" and 32 random bytes in base64url. */
export const TOKEN_SHAPE = /^hf_[A-Za-z0-9_-]{43}$/;

/** What is stored of a secret with 256 random bits: its SHA-256, in hex. */
export function secretHash(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/**
 * Who an API token stands for, never with a higher role than its owner has now; null when it is unknown, revoked or
 * expired, or its owner is disabled. `lastUsedAt` is written at most once a minute.
 */
export async function resolveToken(base: Omit<Ctx, "actor">, token: string): Promise<Ctx | null> {
  if (!TOKEN_SHAPE.test(token)) return null;
  const now = base.clock.now();
  const where = { tokenHash: secretHash(token) };
  const row = await base.db.apiToken.findUnique({ where, include: WITH_OWNER });
  if (!row || row.revokedAt || tokenState(row, now) !== "works") return null;
  if (!row.lastUsedAt || now.getTime() - row.lastUsedAt.getTime() >= SEEN_EVERY_MS) {
    await base.db.apiToken.updateMany({
      where: { id: row.id, OR: [{ lastUsedAt: null }, { lastUsedAt: { lt: now } }] },
      data: { lastUsedAt: now },
    });
  }
  const scope = { environments: row.scopeEnvironments, applications: row.scopeApplications };
  return { ...base, actor: { kind: "token", id: row.id, name: row.name, role: tokenRole(row), scope } };
}
