import type { Tx } from "../db/client.ts";
import type { Claim } from "./claim.ts";

export interface PendingLine {
  at: Date;
  step: string | null;
  level: "info" | "warn" | "error";
  line: string;
}

export interface LogBounds {
  /** The first lines of an attempt, which always stay. */
  headLines: number;
  headBytes: number;
  /** At least the newest lines, up to twice as many. */
  tailLines: number;
  tailBytes: number;
}

export const LOG_BOUNDS: LogBounds = {
  headLines: 5_000,
  headBytes: 1_000_000,
  tailLines: 5_000,
  tailBytes: 1_000_000,
};

/** Longest stored line, in characters. */
export const LONGEST_LINE = 4_000;

interface Batch {
  ids: bigint[];
  bytes: number;
}

/**
 * Stores one attempt's log, bounded: the head and the newest lines stay, and one line between them says how
 * many were left out. Lines beyond the head are stored first and removed later, so that a reader who follows
 * the log live sees all of them.
 */
export class LogStore {
  readonly #claim: Claim;
  readonly #bounds: LogBounds;
  #headLines = 0;
  #headBytes = 0;
  #tail: Batch[] = [];
  #gapId: bigint | null = null;
  #dropped = 0;

  constructor(claim: Claim, bounds: LogBounds) {
    this.#claim = claim;
    this.#bounds = bounds;
  }

  /** Appends lines in the transaction. Counts are kept in memory: build a new store when the attempt changes. */
  async append(tx: Tx, lines: readonly PendingLine[]): Promise<() => void> {
    const room = this.#roomInHead(lines);
    const head = lines.slice(0, room);
    const rest = lines.slice(room);
    await this.#insert(tx, head);
    const headBytes = bytesOf(head);
    if (rest.length === 0) {
      return () => {
        this.#headLines += head.length;
        this.#headBytes += headBytes;
      };
    }
    const gapId = this.#gapId ?? (await this.#insertGap(tx, rest[0]?.at ?? new Date()));
    const batch = { ids: await this.#insert(tx, rest), bytes: bytesOf(rest) };
    const { kept, removed } = this.#trim([...this.#tail, batch]);
    const dropped = this.#dropped + removed.length;
    if (removed.length > 0) {
      await tx.operationLog.deleteMany({ where: { id: { in: removed } } });
      await tx.operationLog.update({ where: { id: gapId }, data: { line: gapText(dropped) } });
    }
    return () => {
      this.#headLines = this.#bounds.headLines;
      this.#gapId = gapId;
      this.#tail = kept;
      this.#dropped = dropped;
    };
  }

  #roomInHead(lines: readonly PendingLine[]): number {
    let room = 0;
    let bytes = this.#headBytes;
    for (const { line } of lines) {
      bytes += line.length;
      if (this.#headLines + room >= this.#bounds.headLines || bytes > this.#bounds.headBytes) break;
      room += 1;
    }
    return room;
  }

  /** Removes the oldest half of a tail that has grown to twice its size. */
  #trim(tail: Batch[]): { kept: Batch[]; removed: bigint[] } {
    const { tailLines, tailBytes } = this.#bounds;
    let lines = tail.reduce((sum, batch) => sum + batch.ids.length, 0);
    let bytes = tail.reduce((sum, batch) => sum + batch.bytes, 0);
    if (lines <= 2 * tailLines && bytes <= 2 * tailBytes) return { kept: tail, removed: [] };
    const removed: bigint[] = [];
    const kept = [...tail];
    while (kept.length > 1) {
      const [oldest] = kept;
      if (!oldest) break;
      const linesLeft = lines - oldest.ids.length;
      if (linesLeft < tailLines && bytes <= 2 * tailBytes) break;
      if (lines <= tailLines && bytes <= tailBytes) break;
      kept.shift();
      removed.push(...oldest.ids);
      lines = linesLeft;
      bytes -= oldest.bytes;
    }
    return { kept, removed };
  }

  async #insertGap(tx: Tx, at: Date): Promise<bigint> {
    const line = `The log is long: from here on the newest ${this.#bounds.tailLines} lines are kept.`;
    const [id] = await this.#insert(tx, [{ at, step: null, level: "warn", line }]);
    if (id === undefined) throw new Error("the log took no line");
    return id;
  }

  async #insert(tx: Tx, lines: readonly PendingLine[]): Promise<bigint[]> {
    if (lines.length === 0) return [];
    const { operationId, attempt } = this.#claim;
    const rows = await tx.operationLog.createManyAndReturn({
      data: lines.map((line) => ({ ...line, operationId, attempt })),
      select: { id: true },
    });
    return rows.map(({ id }) => id);
  }
}

function gapText(dropped: number): string {
  return `${dropped} lines were left out here: the log is kept to its beginning and its newest lines.`;
}

function bytesOf(lines: readonly PendingLine[]): number {
  return lines.reduce((sum, { line }) => sum + line.length, 0);
}
