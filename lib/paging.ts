import { z } from "zod";
import { HoldfastError } from "./errors.ts";

/** Query fields of every list. */
export const pageQuery = {
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
};

/** Query of a list without filters. */
export const plainListQuery = z.object(pageQuery);
export type PlainListQuery = z.input<typeof plainListQuery>;

/** The shape of every list answer. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** An opaque cursor over (time, id), newest first. */
export function encodeCursor(at: Date, id: string): string {
  return Buffer.from(`${at.toISOString()}|${id}`).toString("base64url");
}

/** Reads a cursor made by encodeCursor; throws `invalid` on anything else. */
export function decodeCursor(cursor: string): { at: Date; id: string } {
  const [time, id] = Buffer.from(cursor, "base64url").toString("utf8").split("|");
  const at = new Date(time ?? "");
  if (!id || Number.isNaN(at.getTime())) {
    throw new HoldfastError("invalid", "This page cursor is not one of ours.", {
      remedy: "Start again without the cursor.",
      fields: { cursor: "not a cursor" },
    });
  }
  return { at, id };
}

/** Order of most lists; `olderThan` goes on in it. */
export const NEWEST_FIRST = [{ createdAt: "desc" as const }, { id: "desc" as const }];

/** Condition for what comes after a cursor in NEWEST_FIRST; none without a cursor. Throws `invalid`. */
export function olderThan(cursor: string | undefined) {
  if (cursor === undefined) return {};
  const { at, id } = decodeCursor(cursor);
  return { OR: [{ createdAt: { lt: at } }, { createdAt: at, id: { lt: id } }] };
}

/** Cuts `limit + 1` fetched rows into a page; the extra row only tells that there is more. */
export function toPage<R, T>(
  rows: R[],
  limit: number,
  key: (row: R) => { at: Date; id: string },
  map: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  const next = more ? key(last) : null;
  return { items: shown.map(map), nextCursor: next ? encodeCursor(next.at, next.id) : null };
}

/** Cuts rows that were asked for in NEWEST_FIRST into a page, as `toPage` does. */
export function newestPage<R extends { createdAt: Date; id: string }, T>(
  rows: R[],
  limit: number,
  map: (row: R) => T,
): Page<T> {
  return toPage(rows, limit, ({ createdAt: at, id }) => ({ at, id }), map);
}
