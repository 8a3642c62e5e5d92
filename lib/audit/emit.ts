import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { Prisma } from "../db/generated/client.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import { canonicalText } from "./canonical.ts";
import { redact } from "./redact.ts";

export interface AuditInput {
  /** "<object>.<verb>", e.g. "database.create". */
  action: string;
  object: { kind: string; id?: string | undefined; name?: string | undefined };
  before?: Record<string, unknown> | null | undefined;
  after?: Record<string, unknown> | null | undefined;
}

/**
 * Writes one audit event in the transaction of the change it tells of; if it fails, so does the change.
 * `before` and `after` are redacted by key. The chainer links events later (chain.ts). Lists that are open hear of
 * it without an id, so that a burst of events is one change to them.
 */
export async function emitAudit(tx: Tx, ctx: Ctx, input: AuditInput): Promise<void> {
  const { actor } = ctx;
  const event = {
    id: newId(),
    at: ctx.clock.now(),
    actorKind: actor.kind,
    actorId: actor.kind === "system" ? null : actor.id,
    actorName: actor.name,
    address: ctx.address ?? null,
    action: input.action,
    objectKind: input.object.kind,
    objectId: input.object.id ?? null,
    objectName: input.object.name ?? null,
    before: input.before ? redact(input.before) : null,
    after: input.after ? redact(input.after) : null,
  };
  await tx.auditEvent.create({
    data: {
      ...event,
      before: event.before ?? Prisma.DbNull,
      after: event.after ?? Prisma.DbNull,
      canonical: canonicalText(event),
    },
  });
  await emitEvent(tx, "audit");
}
