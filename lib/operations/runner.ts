import { setTimeout as delay } from "node:timers/promises";
import type { Ctx } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import type { Db } from "../db/client.ts";
import { messageOf } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { ActiveRun } from "./active-run.ts";
import { askToCancel } from "./cancel-request.ts";
import type { Claim, ClaimResult, Seen } from "./claim.ts";
import { claimOperation } from "./claim.ts";
import { cleanUpAttempts } from "./clean-up.ts";
import type { DispatchJob } from "./dispatch.ts";
import { Gate } from "./gate.ts";
import type { EndedOperation, OperationHandler } from "./handler.ts";
import { renewLeases } from "./lease.ts";
import { ServerQuestions } from "./server-questions.ts";
import { OperationNews, waitForEnd } from "./wait-for-end.ts";

/** Definitions with at least this patience follow HOLDFAST_STALL_SECONDS; shorter ones keep their own. */
const COMMON_STALL_SECONDS = 900;

export interface RunnerOptions {
  db: Db;
  log: Logger;
  workerId: string;
  workerName: string;
  handlers: readonly OperationHandler[];
  /** Operations at once in this process. */
  concurrency: number;
  serverConcurrency: number;
  stallSeconds: number;
  /** 30 s by default; renewed every sixth of it. */
  leaseMs?: number;
  abortGraceMs?: number;
}

/** Claims operations, runs them, renews their leases, and aborts them when there is reason to. */
export class OperationRunner {
  readonly gate: Gate;
  readonly #options: RunnerOptions;
  readonly #handlers: Map<string, OperationHandler>;
  readonly #news = new OperationNews();
  readonly #active = new Map<string, ActiveRun>();
  readonly #leaseMs: number;
  readonly #ctx: Ctx;
  readonly #questions = new ServerQuestions();
  #timers: NodeJS.Timeout[] = [];
  #renewing: Promise<void> | null = null;
  #renewAgain = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? 30_000;
    this.gate = new Gate(options.concurrency);
    this.#handlers = new Map(options.handlers.map((handler) => [handler.definition.kind, handler]));
    const { db, log } = options;
    this.#ctx = asSystem({ db, log, clock: systemClock }, options.workerName);
  }

  get handlerOf(): (kind: string) => OperationHandler | undefined {
    return (kind) => this.#handlers.get(kind);
  }

  /** Operations that this process works on now. */
  get running(): number {
    return this.#active.size;
  }

  start(): void {
    const renewMs = this.#leaseMs / 6;
    this.#timers = [
      setInterval(() => void this.renew(), renewMs),
      setInterval(() => this.#watch(), Math.min(1_000, renewMs)),
    ];
  }

  /**
   * Does what a dispatched job asks for. Resolves once an operation was claimed, or its server is being asked who
   * it is; it then goes on by itself.
   */
  async take(job: DispatchJob): Promise<void> {
    if (job.cleanUpAttempt !== undefined) {
      await cleanUpAttempts(this.#ctx, job.operationId, this.handlerOf);
      return;
    }
    const entered = await this.gate.enter();
    if (!entered) throw new Error("this worker is stopping");
    try {
      const result = await this.#claim(job.operationId, null);
      if (result.outcome === "claimed") this.#run(result.claim);
      else if (result.outcome === "identify") this.#ask(job.operationId, result);
      else this.gate.leave();
    } catch (error) {
      this.gate.leave();
      throw error;
    }
  }

  async #claim(operationId: string, seen: Seen | null): Promise<ClaimResult> {
    const { db, workerId, workerName, serverConcurrency } = this.#options;
    return await claimOperation(db, operationId, {
      workerId,
      workerName,
      serverConcurrency,
      leaseMs: this.#leaseMs,
      definitionOf: (kind) => this.#handlers.get(kind)?.definition,
      identifies: (kind) => this.#handlers.get(kind)?.identify !== undefined,
      seen,
    });
  }

  /** Keeps the place that was entered until the operation was claimed, or is not to be had. */
  #ask(operationId: string, { kind, databaseId }: { kind: string; databaseId: string }): void {
    const identify = this.#handlers.get(kind)?.identify;
    const question = async (signal: AbortSignal) => {
      if (!identify) throw new Error(`nothing identifies the server for ${kind}`);
      return await identify(this.#ctx, databaseId, signal);
    };
    const answer = async (seen: Seen | null) => {
      const result = seen && (await this.#claim(operationId, seen));
      if (result?.outcome === "claimed") this.#run(result.claim);
      else this.gate.leave();
    };
    this.#questions.ask(operationId, question, (seen) =>
      answer(seen).catch((error: unknown) => {
        // It is still queued: the reconciler sends it again.
        this.#options.log.warn({ err: messageOf(error), operationId }, "an operation could not be claimed");
        this.gate.leave();
      }),
    );
  }

  #run(claim: Claim): void {
    const handler = this.#handlers.get(claim.kind);
    if (!handler) throw new Error(`no handler for ${claim.kind}`);
    const { stallSeconds } = handler.definition;
    const before = this.#active.get(claim.operationId);
    before?.abort("lost", "It was taken from this worker.");
    const run = new ActiveRun({
      ctx: this.#ctx,
      claim,
      handler,
      stallSeconds: stallSeconds < COMMON_STALL_SECONDS ? stallSeconds : this.#options.stallSeconds,
      abortGraceMs: this.#options.abortGraceMs ?? 30_000,
      // After a pause of the whole machine the attempt before this one may still be at work here.
      after: before ? before.done.then(() => before.settled()) : Promise.resolve(),
      waitFor: (operationId, parent) => this.#waitFor(operationId, parent),
    });
    this.#active.set(claim.operationId, run);
    void run.start().then(async () => {
      if (this.#active.get(claim.operationId) === run) this.#active.delete(claim.operationId);
      // A handler that ignores its signal still uses this process.
      await run.settled();
      this.gate.leave();
    });
  }

  /** Something about an operation has changed: it may be ours to cancel, or waited for. */
  look(operationId: string): void {
    this.#news.tell(operationId);
    if (this.#active.has(operationId)) void this.renew();
  }

  /** Renews all leases, and aborts what was cancelled or lost. One at a time; a call in between runs after it. */
  async renew(): Promise<void> {
    if (this.#renewing) {
      this.#renewAgain = true;
      return;
    }
    this.#renewing = this.#renewOnce().catch((error: unknown) => {
      this.#options.log.warn({ err: messageOf(error) }, "leases could not be renewed");
    });
    await this.#renewing;
    this.#renewing = null;
    if (!this.#renewAgain) return;
    this.#renewAgain = false;
    await this.renew();
  }

  async #renewOnce(): Promise<void> {
    const runs = [...this.#active.values()].filter((run) => !run.ending);
    if (runs.length === 0) return;
    const { db, workerId } = this.#options;
    const sentAt = performance.now();
    const claims = runs.map(({ claim }) => claim);
    const { renewed, states } = await renewLeases(db, workerId, this.#leaseMs, claims);
    for (const run of runs) {
      const { operationId } = run.claim;
      if (renewed.has(operationId)) run.renewedAt = sentAt;
      const state = states.get(operationId);
      if (state === "cancelling") run.abort("cancel", "It was cancelled.");
      if (state === "lost") run.abort("lost", "It was taken from this worker.");
    }
  }

  #watch(): void {
    // Before the lease is another's to take: what cannot be renewed must have stopped by then.
    const fenceMs = (this.#leaseMs * 5) / 6;
    for (const run of this.#active.values()) {
      if (run.stalled) run.abort("stall", run.stallReason);
      if (performance.now() - run.renewedAt > fenceMs) {
        run.abort("lost", "The worker could not reach Holdfast's database to keep its claim.");
      }
    }
  }

  async #waitFor(operationId: string, parent: ActiveRun): Promise<EndedOperation> {
    const { db } = this.#options;
    this.gate.leave();
    try {
      return await waitForEnd(db, this.#news, operationId, parent.signal, () => parent.recorder.touch());
    } catch (error) {
      if (parent.signal.aborted)
        await askToCancel(db, operationId, "the operation that started it").catch(() => undefined);
      throw error;
    } finally {
      this.gate.force();
    }
  }

  /** Takes nothing more; ends when all runs have: by themselves within the grace period, then aborted. */
  async drain(graceMs: number, reason: string): Promise<void> {
    this.gate.close();
    const asked = this.#questions.stop();
    const all = () => Promise.allSettled([...this.#active.values()].map((run) => run.done));
    await Promise.race([all(), delay(graceMs, undefined, { ref: false })]);
    for (const run of this.#active.values()) run.abort("shutdown", reason);
    await Promise.all([all(), asked]);
    for (const timer of this.#timers) clearInterval(timer);
  }
}
