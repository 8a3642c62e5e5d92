import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { OperationState, Prisma } from "../db/generated/client.ts";
import { isId } from "../ids.ts";
import type { Page } from "../paging.ts";
import { decodeCursor, toPage } from "../paging.ts";
import type { ItemRow } from "./operation-item.ts";
import { itemSelect, toItem, workerNames } from "./operation-item.ts";
import type { OperationItem } from "./schema.ts";
import { finalStates, listOperationsQuery, operationStates } from "./schema.ts";
import { withinLimits } from "./target.ts";

const ACTIVE: OperationState[] = ["queued", "running", "cancelling"];
const FINAL = operationStates.filter((state) => finalStates.includes(state));

/** Operations, newest first, by keyset: the millionth page costs what the first does. */
export async function listOperations(
  ctx: Ctx,
  query: z.input<typeof listOperationsQuery>,
): Promise<Page<OperationItem>> {
  requirePermission(ctx, "read");
  const asked = listOperationsQuery.parse(query);
  const database = await databaseIds(ctx, asked.database);
  if (database?.length === 0) return { items: [], nextCursor: null };
  const where: Prisma.OperationWhereInput = {
    AND: [
      withinLimits(ctx.actor) ?? {},
      asked.kind ? { kind: asked.kind } : {},
      database ? { databaseId: { in: database } } : {},
      asked.actor ? (isId(asked.actor) ? { actorId: asked.actor } : { actorName: asked.actor }) : {},
      asked.from ? { createdAt: { gte: new Date(asked.from) } } : {},
      asked.to ? { createdAt: { lte: new Date(asked.to) } } : {},
      asked.cursor ? after(asked.cursor) : {},
    ],
  };
  const rows = await newest(ctx, where, asked.state, asked.limit + 1);
  const workers = await workerNames(ctx.db, rows);
  const key = (row: ItemRow) => ({ at: row.createdAt, id: row.id });
  return toPage(rows, asked.limit, key, (row) => toItem(row, workers));
}

/** Each state has an index in this order, so few active ones are found at once among a million that ended. */
async function newest(
  ctx: Ctx,
  where: Prisma.OperationWhereInput,
  state: z.output<typeof listOperationsQuery>["state"],
  take: number,
): Promise<ItemRow[]> {
  const find = (condition: Prisma.OperationWhereInput) =>
    ctx.db.operation.findMany({
      where: { AND: [where, condition] },
      orderBy: [{ createdAt: "desc" }, { id: "desc" }],
      take,
      select: itemSelect,
    });
  if (state === undefined) return await find({});
  if (state === "final") return await find({ state: { in: FINAL } });
  if (state !== "active") return await find({ state });
  const each = await Promise.all(ACTIVE.map((one) => find({ state: one })));
  return each
    .flat()
    .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1))
    .slice(0, take);
}

/** The first condition is what the index starts at. */
function after(cursor: string): Prisma.OperationWhereInput {
  const { at, id } = decodeCursor(cursor);
  return { createdAt: { lte: at }, OR: [{ createdAt: { lt: at } }, { id: { lt: id } }] };
}

/** Null when all databases are meant. */
async function databaseIds(ctx: Ctx, nameOrId: string | undefined): Promise<string[] | null> {
  if (nameOrId === undefined) return null;
  const where = isId(nameOrId) ? { id: nameOrId } : { name: nameOrId };
  const row = await ctx.db.database.findUnique({ where, select: { id: true } });
  return row ? [row.id] : [];
}
