import { randomBytes } from "node:crypto";
import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { requireGrantable } from "../auth/grantable.ts";
import { requirePermission } from "../auth/permissions.ts";
import { secretHash } from "../auth/resolve-token.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import type { TokenDto } from "./schema.ts";
import { createTokenInput } from "./schema.ts";
import { toToken, WITH_OWNER } from "./token-dto.ts";

const PREFIX_LENGTH = 9;

/**
 * Makes an API token: "hf_" and 256 random bits, returned once and stored hashed. Its role and limits may not
 * exceed those of the caller. `expiresInDays` null: never expires. On the host the CLI calls it as the system.
 */
export async function createToken(
  ctx: Ctx,
  input: z.input<typeof createTokenInput>,
): Promise<TokenDto & { token: string }> {
  requirePermission(ctx, "token.write");
  const { name, role, environments, applications, expiresInDays } = createTokenInput.parse(input);
  const token = `hf_${randomBytes(32).toString("base64url")}`;
  const now = ctx.clock.now();
  const expiresAt = expiresInDays === null ? null : new Date(now.getTime() + expiresInDays * 24 * 3600_000);
  const made = await ctx.db.$transaction(async (tx) => {
    await requireGrantable(tx, ctx, { role, environments, applications });
    const row = await tx.apiToken.create({
      data: {
        id: newId(),
        name,
        prefix: token.slice(0, PREFIX_LENGTH),
        tokenHash: secretHash(token),
        role,
        scopeEnvironments: environments,
        scopeApplications: applications,
        createdBy: ctx.actor.kind === "system" ? ctx.actor.name : ctx.actor.id,
        ownerId: await ownerOf(tx, ctx),
        createdAt: now,
        expiresAt,
      },
      include: WITH_OWNER,
    });
    await emitAudit(tx, ctx, {
      action: "token.create",
      object: { kind: "token", id: row.id, name },
      after: { name, prefix: row.prefix, role, environments, applications, expiresAt },
    });
    await emitEvent(tx, "settings", row.id);
    return row;
  });
  return { ...toToken(made, () => ctx.actor.name, now), token };
}

/** The person who is at work, or who owns the token that is. */
async function ownerOf(tx: Tx, { actor }: Ctx): Promise<string | null> {
  if (actor.kind === "user") return actor.id;
  if (actor.kind !== "token") return null;
  return (await tx.apiToken.findUniqueOrThrow({ where: { id: actor.id } })).ownerId;
}
