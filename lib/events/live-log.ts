import type { Db } from "../db/client.ts";
import type { LiveEventMessage } from "./schema.ts";
import { liveEventSchema } from "./schema.ts";

/** A number below the newest id may still belong to a transaction that has not committed; this long. */
const GAP_MS = 65_000;
const MOST_GAPS = 2_000;
const MOST_ROWS = 2_000;
/** How far back a fresh reader looks for such numbers. */
const LOOK_BACK = 200n;

interface Row {
  id: bigint;
  topic: string;
  object_id: string | null;
}

/**
 * Reads live_event in order of commit as far as that can be told: ids are given before commits, so a lower id
 * can appear after a higher one. Missing ids are asked for again until they appear or are too old to.
 */
export class LiveLog {
  readonly #db: Db;
  #last: bigint | null = null;
  #gaps = new Map<bigint, number>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** Everything up to this id has been seen: what a client resumes after. */
  get watermark(): bigint {
    let lowest = this.#last === null ? 0n : this.#last + 1n;
    for (const id of this.#gaps.keys()) if (id < lowest) lowest = id;
    return lowest - 1n;
  }

  /** What has been committed since the last call; nothing at the first. */
  async read(): Promise<LiveEventMessage[]> {
    if (this.#last === null) {
      await this.#start();
      return [];
    }
    const now = performance.now();
    for (const [id, since] of this.#gaps) if (now - since > GAP_MS) this.#gaps.delete(id);
    const rows = await this.#db.$queryRaw<Row[]>`
      SELECT id, topic, object_id::text FROM live_event
       WHERE id > ${this.#last} OR id = ANY(${[...this.#gaps.keys()]}::bigint[]) ORDER BY id LIMIT ${MOST_ROWS}`;
    this.#note(rows.map(({ id }) => id));
    return rows.flatMap(toMessage);
  }

  async #start(): Promise<void> {
    const rows = await this.#db.$queryRaw<{ id: bigint }[]>`
      SELECT id FROM live_event ORDER BY id DESC LIMIT ${LOOK_BACK}`;
    const ids = rows.map(({ id }) => id).reverse();
    this.#last = (ids[0] ?? 1n) - 1n;
    this.#note(ids);
  }

  #note(ids: readonly bigint[]): void {
    let last = this.#last ?? 0n;
    for (const id of ids) {
      this.#gaps.delete(id);
      const since = performance.now();
      const from = id - last > BigInt(MOST_GAPS) ? id - BigInt(MOST_GAPS) : last + 1n;
      for (let missing = from; missing < id; missing += 1n) this.#gaps.set(missing, since);
      if (id > last) last = id;
    }
    this.#last = last;
  }

  /** What a client has missed since `id`; null when that can no longer be told. */
  async since(id: bigint): Promise<LiveEventMessage[] | null> {
    if (this.#last === null || id > this.#last) return null;
    if (id === this.#last) return [];
    const [oldest] = await this.#db.$queryRaw<{ id: bigint | null }[]>`SELECT min(id) AS id FROM live_event`;
    if (!oldest || oldest.id === null || oldest.id > id + 1n) return null;
    const rows = await this.#db.$queryRaw<Row[]>`
      SELECT max(id) AS id, topic, object_id::text FROM live_event
       WHERE id > ${id} AND id <= ${this.#last} GROUP BY topic, object_id ORDER BY 1 LIMIT ${MOST_ROWS + 1}`;
    return rows.length > MOST_ROWS ? null : rows.flatMap(toMessage);
  }
}

function toMessage({ topic, object_id: objectId }: Row): LiveEventMessage[] {
  const parsed = liveEventSchema.safeParse({ topic, objectId });
  return parsed.success ? [parsed.data] : [];
}
