import type { Db } from "../db/client.ts";
import type { ChainHead } from "./chain.ts";
import { CHAIN_START, chainHead, linkHash } from "./chain.ts";
import { recordedHeads } from "./recorded-heads.ts";
import type { AuditRow } from "./row.ts";
import { canonicalOf } from "./row.ts";
import type { AuditVerification } from "./schema.ts";

const PAGE = 1000;
const MOST_BREAKS = 100;

type Break = AuditVerification["breaks"][number];

/** A link with its event; the event's columns are null when it is gone. */
type LinkedRow = { seq: bigint; eventId: string; hash: string } & {
  [K in keyof Omit<AuditRow, "seq">]: AuditRow[K] | null;
};

export interface CheckOptions {
  auditKey: Buffer;
  signal?: AbortSignal | undefined;
  /** Called before each page of links; the next is read when it is done. */
  onPage?: (() => Promise<void>) | undefined;
}

/**
 * Walks the whole chain in bounded memory and compares every event with its canonical text, every link with its
 * HMAC, every number with the one before, and the heads that backups recorded with the chain as it is now. Throws
 * the signal's reason when it aborts.
 */
export async function checkChain(db: Db, options: CheckOptions): Promise<AuditVerification> {
  const head = await chainHead(db);
  const breaks = new Breaks();
  let checked = 0;
  if (head) {
    const walk = new Walk(options.auditKey, breaks);
    for await (const page of linkPages(db, BigInt(head.seq), options)) {
      for (const row of page) walk.step(row);
      checked += page.length;
    }
    walk.end(BigInt(head.seq));
  }
  await compareHeads(db, head, breaks);
  return {
    intact: breaks.count === 0,
    checked,
    unchained: await countUnchained(db),
    head,
    breaks: breaks.list(),
  };
}

/** Collects what is shown, and counts the rest. */
class Breaks {
  count = 0;
  #shown: Break[] = [];

  add(seq: bigint | string, eventId: string, detail: string): void {
    this.count += 1;
    if (this.#shown.length < MOST_BREAKS) this.#shown.push({ seq: seq.toString(), eventId, detail });
  }

  list(): Break[] {
    const more = this.count - this.#shown.length;
    if (more === 0) return this.#shown;
    return [...this.#shown, { seq: "", eventId: "", detail: `and ${more} more` }];
  }
}

/** Goes from link to link; after a break it trusts the stored hash, so that each link is judged by itself. */
class Walk {
  #previous = CHAIN_START;
  #seq = 0n;
  readonly #key: Buffer;
  readonly #breaks: Breaks;

  constructor(key: Buffer, breaks: Breaks) {
    this.#key = key;
    this.#breaks = breaks;
  }

  step(row: LinkedRow): void {
    const expected = this.#seq + 1n;
    if (row.seq !== expected) this.#gap(expected, row.seq - 1n);
    const fault = this.#fault(row, row.seq === expected);
    if (fault) this.#breaks.add(row.seq, row.eventId, fault);
    this.#seq = row.seq;
    this.#previous = row.hash;
  }

  end(head: bigint): void {
    if (this.#seq < head) this.#gap(this.#seq + 1n, head);
  }

  #gap(from: bigint, to: bigint): void {
    this.#breaks.add(
      from,
      "",
      from === to ? `link ${from} is missing` : `links ${from} to ${to} are missing`,
    );
  }

  #fault(row: LinkedRow, continuous: boolean): string | null {
    const event = presentEvent(row);
    if (!event) return "the event is missing";
    if (canonicalOf(event) !== event.canonical) return "the event was altered after it was written";
    if (!continuous) return null;
    const hash = linkHash(this.#key, this.#previous, row.seq, event.canonical);
    return hash === row.hash ? null : "the event's text, its place or its link was altered";
  }
}

function presentEvent(row: LinkedRow): AuditRow | null {
  const { hash: _hash, eventId: _eventId, ...event } = row;
  return event.id === null ? null : (event as AuditRow);
}

async function* linkPages(db: Db, head: bigint, options: CheckOptions): AsyncGenerator<LinkedRow[]> {
  let after: bigint | null = null;
  for (;;) {
    options.signal?.throwIfAborted();
    await options.onPage?.();
    const rows: LinkedRow[] = await db.$queryRaw`
      SELECT l.seq, l.event_id AS "eventId", l.hash, e.id, e.at, e.actor_kind AS "actorKind",
        e.actor_id AS "actorId", e.actor_name AS "actorName", e.address, e.action,
        e.object_kind AS "objectKind", e.object_id AS "objectId", e.object_name AS "objectName",
        e.before, e.after, e.canonical
      FROM audit_link l LEFT JOIN audit_event e ON e.id = l.event_id
      WHERE l.seq <= ${head} AND (${after}::bigint IS NULL OR l.seq > ${after}::bigint)
      ORDER BY l.seq LIMIT ${PAGE}`;
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (rows.length < PAGE || !last) return;
    after = last.seq;
  }
}

/** The chain may only have grown since a backup recorded its head. */
async function compareHeads(db: Db, head: ChainHead | null, breaks: Breaks): Promise<void> {
  for await (const recorded of recordedHeads(db)) {
    const where = `the backup ${recorded.backupId} of ${recorded.createdAt.toISOString()}`;
    if (recorded.head === "unreadable") {
      breaks.add("", "", `the manifest of ${where} can't be read for its record of the chain`);
      continue;
    }
    const seq = BigInt(recorded.head.seq);
    if (!head || seq > BigInt(head.seq)) {
      breaks.add(recorded.head.seq, "", `the chain was cut: ${where} recorded link ${seq}, which is gone`);
      continue;
    }
    const link = await db.auditLink.findUnique({ where: { seq } });
    // A missing link below the head was told by the walk.
    if (link && link.hash !== recorded.head.hash) {
      breaks.add(seq, link.eventId, `${where} recorded another link ${seq}: the chain was rewritten`);
    }
  }
}

async function countUnchained(db: Db): Promise<number> {
  const [row] = await db.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) AS count FROM audit_event e
    WHERE NOT EXISTS (SELECT FROM audit_link l WHERE l.event_id = e.id)`;
  return Number(row?.count ?? 0n);
}
