import type { z } from "zod";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import type { OperationDefinition } from "./definition.ts";
import type { Progress } from "./schema.ts";

/** What a handler gets. Every write goes through `save`, which fails once the claim is lost. */
export interface Run<P> {
  operationId: string;
  rootId: string;
  attempt: number;
  databaseId: string | null;
  backupId: string | null;
  /** What `identify` returned: that server's slots are held, and no other server may be worked on. */
  serverIdentity: string | null;
  payload: P;
  /** Acts as the system; the operation's own actor is in the row. */
  ctx: Ctx;
  /** Aborted by cancel, lost lease, stall or shutdown; `reason` says which. */
  signal: AbortSignal;
  log(line: string, level?: "info" | "warn" | "error"): void;
  progress(progress: Progress): void;
  /** Whether the work gets on where there is no progress to tell: movement counts as progress, standstill has a reason. */
  sign(sign: { moving: true } | { moving: false; why: string }): void;
  /** Runs `work` as a named step of the timeline; its result's text becomes the step's detail. */
  step<T>(name: string, work: () => Promise<T>, detail?: (result: T) => string | null): Promise<T>;
  /**
   * A transaction that first checks that this attempt still holds the operation. While the database is away it
   * waits, then runs `work` again.
   */
  save<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Writes down what is about to be begun and has to be taken back or explained if this breaks off; null when
   * there is nothing any more. What is still there at an end without success leaves a clean-up, which gets it.
   */
  unsettled(what: Record<string, unknown> | null): Promise<void>;
  /** These texts never reach the log, a step, a reason or an error of this operation. */
  hide(...secrets: (string | null | undefined)[]): void;
  /**
   * Waits until an operation that this one started (with `parent: run`) has ended, and tells how. While it
   * waits, its place on the worker is free for others, so that a worker that runs one thing at a time can run
   * the child. Throws when this run is aborted; the child is then cancelled, too.
   */
  waitFor(operationId: string): Promise<EndedOperation>;
}

/** How an operation that was waited for has ended. */
export interface EndedOperation {
  state: "succeeded" | "failed" | "cancelled" | "interrupted";
  reason: string | null;
  result: Record<string, unknown> | null;
}

/** How a run ended. Thrown errors are `failed`; an aborted signal decides the state instead. */
export interface Outcome {
  /** Shown as the operation's reason. */
  reason: string;
  /** "failed" when the work ended in order but its finding is bad (a proof that failed). */
  state?: "succeeded" | "failed";
  result?: Record<string, unknown>;
  /** Runs in the transaction of the final state: domain rows and following operations. */
  commit?: (tx: Tx) => Promise<void>;
}

export interface OperationHandler<P extends z.ZodType = z.ZodType> {
  definition: OperationDefinition<P>;
  run(run: Run<z.output<P>>): Promise<Outcome>;
  /**
   * For exclusive kinds: asks the database's server who it is, right before its slots are taken, because two
   * registrations may lead to one database and the stored answer may be old. Throws what keeps us from it; the
   * operation then fails with that.
   */
  identify?(ctx: Ctx, databaseId: string, signal: AbortSignal): Promise<string>;
  /**
   * Domain rows when the operation ends without an outcome: failed, cancelled or interrupted, in the same
   * transaction as the state; when the web process ended it, as soon as a worker takes its clean-up. `retry`
   * says that a new attempt follows. Must not throw, and may be called twice for the same attempt.
   */
  onEnd?(tx: Tx, ended: Ended): Promise<void>;
  /**
   * Outside a transaction, before a retry and after the end of a lost attempt, or of one that left something
   * unsettled: objects, sessions, folders. Tried again until it goes well.
   */
  cleanUp?(ctx: Ctx, ended: Ended): Promise<void>;
}

export interface Ended {
  operationId: string;
  databaseId: string | null;
  backupId: string | null;
  attempt: number;
  state: "failed" | "cancelled" | "interrupted";
  reason: string;
  retry: boolean;
  payload: unknown;
  /** What the attempt wrote down with `unsettled`, or null. */
  unsettled: unknown;
}
