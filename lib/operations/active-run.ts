import { setTimeout as delay } from "node:timers/promises";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import type { AbortKind } from "./aborted.ts";
import { abortOf, RunAborted } from "./aborted.ts";
import type { Claim } from "./claim.ts";
import { cleanUpAttempts, cleanUpFailure } from "./clean-up.ts";
import type { Verdict } from "./finish.ts";
import { finishAttempt } from "./finish.ts";
import type { EndedOperation, OperationHandler, Outcome } from "./handler.ts";
import { makeRun, readPayload } from "./run.ts";
import { RunRecorder } from "./run-recorder.ts";

export interface ActiveRunOptions {
  ctx: Ctx;
  claim: Claim;
  handler: OperationHandler;
  /** Seconds without progress after which it has failed. */
  stallSeconds: number;
  /** How long a handler may take to stop after it was told to. */
  abortGraceMs: number;
  /** Begins when this resolves. */
  after: Promise<void>;
  waitFor(operationId: string, run: ActiveRun): Promise<EndedOperation>;
}

/** One attempt while this process works on it. */
export class ActiveRun {
  readonly claim: Claim;
  readonly recorder: RunRecorder;
  /** performance.now() when the last renewal that succeeded was sent. */
  renewedAt = performance.now();
  /** The end is being written: nothing that is found out about the claim matters any more. */
  ending = false;
  readonly #options: ActiveRunOptions;
  readonly #controller = new AbortController();
  #handlerDone: Promise<unknown> = Promise.resolve();
  #done: Promise<void> = Promise.resolve();

  constructor(options: ActiveRunOptions) {
    this.#options = options;
    this.claim = options.claim;
    this.recorder = new RunRecorder(options.ctx.db, options.claim, options.ctx.log);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(kind: AbortKind, message: string): void {
    if (this.signal.aborted || this.ending) return;
    this.#controller.abort(new RunAborted(kind, message));
  }

  get stalled(): boolean {
    return performance.now() - this.recorder.progressAt > this.#options.stallSeconds * 1000;
  }

  get stallReason(): string {
    const { standstill } = this.recorder;
    return `It made no progress for ${this.#options.stallSeconds} s${standstill ? `: ${standstill}` : ""}.`;
  }

  /** Works the attempt off and writes its end. Never rejects. */
  start(): Promise<void> {
    this.#done = this.#execute();
    return this.#done;
  }

  /** Resolves when the end was written, or given up. */
  get done(): Promise<void> {
    return this.#done;
  }

  async #execute(): Promise<void> {
    const { ctx, claim, handler } = this.#options;
    const verdict = await this.#work();
    await this.recorder.close();
    this.ending = true;
    const redact = (text: string) => this.recorder.redactor.redact(text);
    try {
      await finishAttempt(claim, verdict, { db: ctx.db, log: ctx.log, handler, redact });
    } catch (error) {
      ctx.log.error({ err: error, operationId: claim.operationId }, "left to the reconciler");
    }
  }

  /** Resolves when the handler has really returned, which a stuck one does late or never. */
  async settled(): Promise<void> {
    await this.#handlerDone;
  }

  async #work(): Promise<Verdict> {
    try {
      await Promise.race([this.#options.after, this.#aborted]);
      this.signal.throwIfAborted();
      await this.#tidyUp();
      const { ctx, claim, handler, waitFor } = this.#options;
      const payload = readPayload(handler.definition.payload, claim);
      const { signal, recorder } = this;
      const run = makeRun({ claim, payload, ctx, signal, recorder, waitFor: (id) => waitFor(id, this) });
      const { refusal } = claim;
      const work = refusal
        ? run.step<Outcome>("Connect", () => Promise.reject(refusal.error))
        : Promise.resolve().then(() => handler.run(run));
      this.#handlerDone = work.catch(() => undefined);
      return await this.#judge(work);
    } catch (error) {
      return { error, aborted: abortOf(this.signal), stuck: false };
    }
  }

  async #judge(work: Promise<Outcome>): Promise<Verdict> {
    const outOfPatience = new AbortController();
    const gaveUp = this.#patience(outOfPatience.signal);
    try {
      const outcome = await Promise.race([work, gaveUp]);
      if (outcome) return { outcome };
      const aborted = abortOf(this.signal);
      return { error: aborted, aborted, stuck: true };
    } finally {
      outOfPatience.abort();
    }
  }

  get #aborted(): Promise<void> {
    return new Promise((resolve) => {
      if (this.signal.aborted) resolve();
      this.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Resolves to nothing when the run was aborted and the grace period is over. */
  async #patience(signal: AbortSignal): Promise<undefined> {
    await new Promise<void>((resolve) => {
      if (this.signal.aborted) resolve();
      this.signal.addEventListener("abort", () => resolve(), { once: true });
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await delay(this.#options.abortGraceMs, undefined, { signal }).catch(() => undefined);
    return undefined;
  }

  async #tidyUp(): Promise<void> {
    const { ctx, claim, handler } = this.#options;
    if (claim.attempt === 1) return;
    try {
      await cleanUpAttempts(ctx, claim.operationId, (kind) => (kind === claim.kind ? handler : undefined));
    } catch (error) {
      ctx.log.error({ err: error, operationId: claim.operationId }, "clean-up before a new attempt failed");
      throw new HoldfastError("unavailable", `It was not tried again: ${cleanUpFailure(error)}.`, {
        cause: error,
      });
    }
  }
}
