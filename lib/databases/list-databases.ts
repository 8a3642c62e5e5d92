import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { escapeLike } from "../db/escape-like.ts";
import { Prisma } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";
import type { Page } from "../paging.ts";
import type { Assessed } from "./database-row.ts";
import type { DatabaseItem } from "./schema.ts";
import { databaseName, listDatabasesQuery } from "./schema.ts";
import { selectDatabases } from "./select-databases.ts";

type Query = z.output<typeof listDatabasesQuery>;

/** Databases by name, each with its promise. */
export async function listDatabases(
  ctx: Ctx,
  input: z.input<typeof listDatabasesQuery>,
): Promise<Page<DatabaseItem>> {
  requirePermission(ctx, "read");
  const query = listDatabasesQuery.parse(input);
  // The promise is computed here, so a filter by it needs every database that meets the others.
  const limit = query.recoverable ? null : query.limit + 1;
  const found = await selectDatabases(ctx, conditions(query), limit);
  const items = found.filter((one) => matches(one, query)).map((one) => one.item);
  const shown = items.slice(0, query.limit);
  const last = shown.at(-1);
  return { items: shown, nextCursor: items.length > query.limit && last ? cursorOf(last.name) : null };
}

function matches({ item }: Assessed, { recoverable }: Query): boolean {
  return recoverable === undefined || item.recoverable.state === recoverable;
}

function conditions(query: Query): Prisma.Sql[] {
  const archived =
    query.archived === "yes" ? Prisma.sql`d.archived_at IS NOT NULL` : Prisma.sql`d.archived_at IS NULL`;
  return [
    archived,
    ...(query.environment ? [Prisma.sql`v.name = ${query.environment}`] : []),
    ...(query.application ? [Prisma.sql`d.application = ${query.application}`] : []),
    ...(query.engine ? [Prisma.sql`d.engine::text = ${query.engine}`] : []),
    ...(query.tag ? [Prisma.sql`${query.tag} = ANY(d.tags)`] : []),
    ...(query.q ? [textCondition(query.q)] : []),
    ...(query.cursor ? [Prisma.sql`d.name COLLATE "C" > ${nameOf(query.cursor)}`] : []),
  ];
}

/** The text is in the name, application, owner, note or a tag. */
export function textCondition(text: string): Prisma.Sql {
  const pattern = `%${escapeLike(text)}%`;
  return Prisma.sql`(d.name ILIKE ${pattern} OR d.application ILIKE ${pattern} OR d.owner ILIKE ${pattern}
    OR d.note ILIKE ${pattern} OR array_to_string(d.tags, ' ') ILIKE ${pattern})`;
}

function cursorOf(name: string): string {
  return Buffer.from(name).toString("base64url");
}

function nameOf(cursor: string): string {
  const name = databaseName.safeParse(Buffer.from(cursor, "base64url").toString("utf8"));
  if (name.success) return name.data;
  throw new HoldfastError("invalid", "This page cursor is not one of ours.", {
    remedy: "Start again without the cursor.",
    fields: { cursor: "not a cursor" },
  });
}
