import type { Client } from "pg";
import type { Fingerprint } from "../../proof/schema.ts";
import type { SequenceInfo } from "./list-tables.ts";
import { inSavepoint } from "./snapshot.ts";

const BATCH_SEQUENCES = 200;

/** The value that each sequence hands out next. Sequences do not keep to snapshots: they may have moved on. */
export async function readSequences(
  client: Client,
  sequences: readonly SequenceInfo[],
): Promise<Fingerprint["sequences"]> {
  const result: Fingerprint["sequences"] = [];
  for (let from = 0; from < sequences.length; from += BATCH_SEQUENCES) {
    const batch = sequences.slice(from, from + BATCH_SEQUENCES);
    const parts = batch.map(
      ({ sql }, index) => `SELECT ${index} AS i, last_value::text AS last, is_called AS called FROM ${sql}`,
    );
    const read = async () =>
      await client.query<{ i: number; last: string; called: boolean }>(parts.join(" UNION ALL "));
    const found = await inSavepoint(client, read);
    if ("failed" in found) throw new Error(found.failed);
    const rows = new Map(found.value.rows.map((row) => [row.i, row]));
    batch.forEach(({ name, increment }, index) => {
      const row = rows.get(index);
      const next = row ? BigInt(row.last) + (row.called ? increment : 0n) : null;
      const descending = increment < 0n ? { descending: true } : {};
      result.push({ name, value: next === null ? null : String(next), ...descending });
    });
  }
  return result;
}

/**
 * Hash of a large object's bytes and length that does not depend on how they lie in pages: dumps and restores
 * fill the holes of sparse objects with zeros, which count as nothing here.
 */
const LARGE_OBJECT_DIGEST = `
  SELECT coalesce(sum(pages + hashtextextended(loid::text || ':' || length::text, 0)::numeric), 0)::text AS digest
  FROM (
    SELECT loid, max(pageno::bigint * 2048 + pg_catalog.length(data)) AS length,
      coalesce(sum(CASE WHEN stripped <> '' THEN
        hashtextextended((loid::text || ':' || pageno::text || ':' || stripped) COLLATE "C", 0) END), 0) AS pages
    FROM (SELECT loid, pageno, data, rtrim(encode(data, 'hex'), '0') AS stripped FROM pg_catalog.pg_largeobject) p
    GROUP BY loid
  ) o`;

/** Number of large objects, and a digest of their contents where this user may read the catalogue of all. */
export async function digestLargeObjects(
  client: Client,
  withContent: boolean,
): Promise<{ largeObjects: Fingerprint["largeObjects"]; note: string | null }> {
  const { rows } = await client.query<{ count: string; readable: boolean }>(`
    SELECT count(*)::text AS count, has_table_privilege('pg_catalog.pg_largeobject', 'SELECT') AS readable
    FROM pg_catalog.pg_largeobject_metadata`);
  const count = Number(rows[0]?.count ?? 0);
  if (count === 0) return { largeObjects: { count, digest: "0" }, note: null };
  if (!withContent || !rows[0]?.readable) {
    const why = withContent ? "this user may not read pg_largeobject" : "only counts were asked for";
    return {
      largeObjects: { count, digest: null },
      note: `Large objects: compared by number only, because ${why}.`,
    };
  }
  const found = await inSavepoint(
    client,
    async () => await client.query<{ digest: string }>(LARGE_OBJECT_DIGEST),
  );
  if ("failed" in found) throw new Error(found.failed);
  return { largeObjects: { count, digest: found.value.rows[0]?.digest ?? null }, note: null };
}
