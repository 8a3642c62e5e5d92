import type { z } from "zod";
import type { Actor } from "../context.ts";
import { escapeLike } from "../db/escape-like.ts";
import { Prisma } from "../db/generated/client.ts";
import type { exportAuditQuery } from "./schema.ts";

export type AuditFilter = Omit<z.output<typeof exportAuditQuery>, "format">;

export const AUDIT_COLUMNS = Prisma.sql`e.id, l.seq, e.at, e.actor_kind AS "actorKind", e.actor_id AS "actorId",
  e.actor_name AS "actorName", e.address, e.action, e.object_kind AS "objectKind", e.object_id AS "objectId",
  e.object_name AS "objectName", e.before, e.after, e.canonical`;

/** Conditions of the filters, and of the actor's limits: it sees what concerns its databases, and itself. */
export function auditConditions(actor: Actor, filter: AuditFilter): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [Prisma.sql`TRUE`];
  if (filter.q) conditions.push(textCondition(filter.q));
  if (filter.actor)
    conditions.push(Prisma.sql`(e.actor_id = ${filter.actor} OR e.actor_name = ${filter.actor})`);
  if (filter.action) conditions.push(actionCondition(filter.action));
  if (filter.objectKind) conditions.push(Prisma.sql`e.object_kind = ${filter.objectKind}`);
  if (filter.object) {
    conditions.push(Prisma.sql`(e.object_id = ${filter.object} OR e.object_name = ${filter.object})`);
  }
  if (filter.from) conditions.push(Prisma.sql`e.at >= ${new Date(filter.from)}`);
  if (filter.to) conditions.push(Prisma.sql`e.at < ${new Date(filter.to)}`);
  if (actor.kind === "user" || actor.kind === "token") conditions.push(...limits(actor));
  return conditions;
}

function textCondition(text: string): Prisma.Sql {
  const pattern = `%${escapeLike(text)}%`;
  return Prisma.sql`(e.actor_name ILIKE ${pattern} OR e.object_name ILIKE ${pattern} OR e.action ILIKE ${pattern}
    OR e.address ILIKE ${pattern})`;
}

/** "backup.run" exactly, or everything below with "backup.". */
function actionCondition(action: string): Prisma.Sql {
  return action.endsWith(".")
    ? Prisma.sql`starts_with(e.action, ${action})`
    : Prisma.sql`e.action = ${action}`;
}

function limits(actor: Extract<Actor, { kind: "user" | "token" }>): Prisma.Sql[] {
  const { environments, applications } = actor.scope;
  if (environments.length === 0 && applications.length === 0) return [];
  const mine = Prisma.sql`SELECT d.id FROM database d JOIN environment v ON v.id = d.environment_id
    WHERE (${environments.length === 0} OR v.name = ANY(${environments}))
      AND (${applications.length === 0} OR d.application = ANY(${applications}))`;
  return [
    Prisma.sql`(e.actor_id = ${actor.id}
      OR (e.object_kind = 'database' AND e.object_id IN (SELECT id::text FROM (${mine}) AS m))
      OR (e.object_kind = 'backup' AND e.object_id IN
        (SELECT b.id::text FROM backup b WHERE b.database_id IN (${mine})))
      OR (e.object_kind = 'operation' AND e.object_id IN
        (SELECT o.id::text FROM operation o WHERE o.database_id IN (${mine}))))`,
  ];
}
