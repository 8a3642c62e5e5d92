import { setTimeout as delay } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import type { Db, Tx } from "../db/client.ts";
import type { Prisma } from "../db/generated/client.ts";
import { messageOf } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import type { Logger } from "../logger.ts";
import { LOG_CHANNEL } from "./channels.ts";
import type { Claim } from "./claim.ts";
import { ClaimLost, lockClaim } from "./claim.ts";
import type { LogBounds, PendingLine } from "./log-store.ts";
import { LOG_BOUNDS, LONGEST_LINE, LogStore } from "./log-store.ts";
import { TextRedactor } from "./redact-text.ts";
import type { Progress } from "./schema.ts";

const FLUSH_MS = 250;
const FLUSH_LINES = 100;
/** Browsers hear of steps and progress at most this often per operation. */
const EVENT_MS = 1_000;
/** Kept while the database cannot be reached; more are counted and dropped. */
const MOST_PENDING = 5_000;
/** Longest time that the rest of a log is held on to while the database is away. */
const HOLD_MS = 10 * 60_000;

export interface RecordedStep {
  seq: number;
  name: string;
  state: "running" | "succeeded" | "failed" | "cancelled" | "interrupted";
  detail: string | null;
  startedAt: Date;
  finishedAt: Date | null;
}

interface Pending {
  lines: PendingLine[];
  steps: Map<number, RecordedStep>;
  progress: Progress | null;
}

/**
 * Gathers what one attempt has to tell (lines, steps, progress) and stores it in batches, redacted, for as long
 * as the claim holds.
 */
export class RunRecorder {
  readonly redactor = new TextRedactor();
  readonly #db: Db;
  readonly #claim: Claim;
  readonly #log: Logger;
  readonly #store: LogStore;
  #pending: Pending = { lines: [], steps: new Map(), progress: null };
  #lost = 0;
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> = Promise.resolve();
  #eventAt = 0;
  #eventDue = false;
  #over = false;
  #troubled = false;
  /** performance.now() of the last sign of progress. */
  progressAt = performance.now();
  /** What the work has waited for since then, as far as it was told. */
  standstill: string | null = null;

  constructor(db: Db, claim: Claim, log: Logger, bounds: LogBounds = LOG_BOUNDS) {
    this.#db = db;
    this.#claim = claim;
    this.#log = log;
    this.#store = new LogStore(claim, bounds);
  }

  line(text: string, level: PendingLine["level"], step: string | null): void {
    this.#moved();
    const at = new Date();
    for (const part of this.redactor.redact(text).split(/\r\n|\n|\r/)) {
      if (this.#pending.lines.length >= MOST_PENDING) this.#lost += 1;
      else this.#pending.lines.push({ at, step, level, line: storable(part) });
    }
    if (this.#pending.lines.length >= FLUSH_LINES) this.#flushSoon(0);
    else this.#flushSoon(FLUSH_MS);
  }

  step(step: RecordedStep): void {
    this.#moved();
    const detail = step.detail === null ? null : storable(this.redactor.redact(step.detail));
    this.#pending.steps.set(step.seq, { ...step, name: this.redactor.redact(step.name), detail });
    this.#flushSoon(FLUSH_MS);
  }

  progress(progress: Progress): void {
    this.#moved();
    this.#pending.progress = progress;
    this.#flushSoon(FLUSH_MS);
  }

  /** Counts as progress without telling anybody. */
  touch(): void {
    this.#moved();
  }

  sign(sign: { moving: true } | { moving: false; why: string }): void {
    if (sign.moving) this.#moved();
    else this.standstill = this.redactor.redact(sign.why);
  }

  /** Stores what is left, once the database answers. Nothing that comes later is stored. */
  async close(): Promise<void> {
    const until = performance.now() + HOLD_MS;
    for (;;) {
      if (this.#timer) clearTimeout(this.#timer);
      this.#timer = null;
      await this.flush();
      if (!this.#hasPending || this.#over || performance.now() > until) break;
      await delay(FLUSH_MS);
    }
    if (this.#timer) clearTimeout(this.#timer);
    this.#over = true;
  }

  get #hasPending(): boolean {
    const { lines, steps, progress } = this.#pending;
    return lines.length > 0 || steps.size > 0 || progress !== null;
  }

  #moved(): void {
    this.progressAt = performance.now();
    this.standstill = null;
  }

  #flushSoon(ms: number): void {
    if (this.#over || (this.#timer && ms > 0)) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.flush();
    }, ms);
  }

  /** Stores what has been gathered so far. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async #write(): Promise<void> {
    const batch = this.#pending;
    const { lines, steps, progress } = batch;
    const event = this.#eventDue || steps.size > 0 || progress !== null;
    if (this.#over || (lines.length === 0 && !event)) return;
    this.#pending = { lines: [], steps: new Map(), progress: null };
    const eventNow = event && performance.now() - this.#eventAt >= EVENT_MS;
    try {
      const done = await this.#db.$transaction((tx) => this.#writeBatch(tx, batch, eventNow));
      done();
      this.#troubled = false;
      if (eventNow) this.#eventAt = performance.now();
      this.#eventDue = event && !eventNow;
      if (this.#eventDue) this.#flushSoon(EVENT_MS);
    } catch (error) {
      if (error instanceof ClaimLost) {
        this.#over = true;
        return;
      }
      this.#takeBack(batch);
      if (!this.#troubled) {
        const { operationId } = this.#claim;
        this.#log.warn({ err: messageOf(error), operationId }, "the log could not be stored yet");
      }
      this.#troubled = true;
      this.#flushSoon(4 * FLUSH_MS);
    }
  }

  async #writeBatch(tx: Tx, { lines, steps, progress }: Pending, event: boolean): Promise<() => void> {
    const { operationId, attempt } = this.#claim;
    await lockClaim(tx, this.#claim);
    const lost = this.#lost;
    const all = lost === 0 ? lines : [...lines, lostLine(lost)];
    const counted = await this.#store.append(tx, all);
    for (const { seq, ...step } of steps.values()) {
      await tx.operationStep.upsert({
        where: { operationId_attempt_seq: { operationId, attempt, seq } },
        create: { operationId, attempt, seq, ...step },
        update: step,
      });
    }
    const moved = { progressAt: new Date() };
    const data = progress ? { ...moved, progress: progress as unknown as Prisma.InputJsonObject } : moved;
    await tx.operation.update({ where: { id: operationId }, data });
    if (all.length > 0) await tx.$executeRaw`SELECT pg_notify(${LOG_CHANNEL}, ${operationId})`;
    if (event) await emitEvent(tx, "operations", operationId);
    return () => {
      counted();
      this.#lost -= lost;
    };
  }

  #takeBack({ lines, steps, progress }: Pending): void {
    const newer = this.#pending;
    const all = [...lines, ...newer.lines];
    this.#lost += Math.max(0, all.length - MOST_PENDING);
    this.#pending = {
      lines: all.slice(0, MOST_PENDING),
      steps: new Map([...steps, ...newer.steps]),
      progress: newer.progress ?? progress,
    };
  }
}

/** Without control characters, which a text column refuses or a terminal would obey, and not endless. */
function storable(text: string): string {
  const clean = stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\t]/gu, "");
  if (clean.length <= LONGEST_LINE) return clean;
  return `${clean.slice(0, LONGEST_LINE)} … (${clean.length - LONGEST_LINE} more characters)`;
}

function lostLine(count: number): PendingLine {
  const line = `${count} lines were lost here while the log could not be stored.`;
  return { at: new Date(), step: null, level: "warn", line };
}
