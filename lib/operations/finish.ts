import type { Db, Tx } from "../db/client.ts";
import { isHoldfastError, messageOf } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Logger } from "../logger.ts";
import type { RunAborted } from "./aborted.ts";
import type { Claim, HeldOperation } from "./claim.ts";
import { ClaimLost, lockClaim } from "./claim.ts";
import type { Ending, EndingOperation, OperationError } from "./end.ts";
import { endedOf, leaveCleanUp, writeEnd } from "./end.ts";
import type { Ended, OperationHandler, Outcome } from "./handler.ts";
import { persist } from "./persist.ts";
import { readUnsettled, writeUnsettled } from "./unsettled.ts";

/** How an attempt came out of its handler. */
export type Verdict = { outcome: Outcome } | Failure;

export interface Failure {
  error: unknown;
  aborted: RunAborted | null;
  /** The handler has not returned, although it was told to stop; or what it made must not stay. */
  stuck: boolean;
}

export interface FinishOptions {
  db: Db;
  log: Logger;
  handler: OperationHandler | undefined;
  redact(text: string): string;
}

type Finished = "written" | "lost";

/**
 * Writes the end of an attempt, fenced. Holds on to it while the database is away. If the domain's own part of
 * the end cannot be written, the operation has failed for that reason.
 */
export async function finishAttempt(
  claim: Claim,
  verdict: Verdict,
  options: FinishOptions,
): Promise<Finished> {
  const first = await tryFinish(options, (tx) => finishIn(tx, claim, verdict, options));
  if (first.done) return first.finished;
  options.log.error({ err: first.error, operationId: claim.operationId }, "the end could not be written");
  // Its objects are there, and no row tells of them: what could not be written down is tidied up.
  const failure: Failure = { error: first.error, aborted: null, stuck: true };
  const second = await tryFinish(options, (tx) => finishIn(tx, claim, failure, options));
  if (second.done) return second.finished;
  const bare = await tryFinish(options, (tx) =>
    finishIn(tx, claim, failure, { ...options, handler: undefined }),
  );
  if (bare.done) return bare.finished;
  throw bare.error;
}

async function tryFinish(
  { db }: FinishOptions,
  work: (tx: Tx) => Promise<void>,
): Promise<{ done: true; finished: Finished } | { done: false; error: unknown }> {
  try {
    await persist(db, work);
    return { done: true, finished: "written" };
  } catch (error) {
    return error instanceof ClaimLost ? { done: true, finished: "lost" } : { done: false, error };
  }
}

async function finishIn(tx: Tx, claim: Claim, verdict: Verdict, options: FinishOptions): Promise<void> {
  const held = await lockClaim(tx, claim);
  if ("outcome" in verdict) {
    await verdict.outcome.commit?.(tx);
    await finishInOrder(tx, await endingOperation(tx, claim), verdict.outcome, options);
    return;
  }
  const operation = await endingOperation(tx, claim);
  const ending = endingOf(claim, held, verdict, options);
  const ended = endedOf(operation, ending.state, ending.reason, ending.retry ?? false);
  await writeEnd(tx, operation, ending);
  const told = options.handler !== undefined;
  await options.handler?.onEnd?.(tx, ended);
  const left = verdict.stuck || ended.retry || !told || ended.unsettled !== null;
  if (left) await leaveCleanUp(tx, operation, ended, told);
}

async function endingOperation(tx: Tx, claim: Claim): Promise<EndingOperation> {
  const { operationId } = claim;
  return { ...claim, id: operationId, unsettled: await readUnsettled(tx, operationId) };
}

async function finishInOrder(
  tx: Tx,
  operation: EndingOperation,
  outcome: Outcome,
  { redact }: FinishOptions,
): Promise<void> {
  const reason = redact(outcome.reason);
  const result = outcome.result ?? null;
  if (outcome.state !== "failed") {
    if (operation.unsettled !== null) await writeUnsettled(tx, operation.id, null);
    await writeEnd(tx, operation, { state: "succeeded", reason, result });
    return;
  }
  const error = { message: reason, remedy: null, requestId: null };
  await writeEnd(tx, operation, { state: "failed", reason, result, error });
  const ended = endedOf(operation, "failed", reason, false);
  if (ended.unsettled !== null) await leaveCleanUp(tx, operation, ended, true);
}

function endingOf(
  claim: Claim,
  held: HeldOperation,
  verdict: Failure,
  options: FinishOptions,
): Ending & { state: Ended["state"] } {
  const { aborted } = verdict;
  if (aborted && held.state === "cancelling") {
    return { state: "cancelled", reason: `cancelled by ${held.cancelAskedBy ?? "somebody"}` };
  }
  if (aborted?.kind === "shutdown" || aborted?.kind === "lost") {
    const retry = claim.attempt < claim.maxAttempts;
    return { state: "interrupted", reason: aborted.message, retry };
  }
  if (aborted) return failed({ message: aborted.message, remedy: null, requestId: null });
  return failed(errorOf(verdict.error, claim, options));
}

function failed(error: OperationError): Ending & { state: "failed" } {
  return { state: "failed", reason: error.message, error };
}

/** The text of errors that are meant for people; of any other only an id that the log knows. */
function errorOf(error: unknown, claim: Claim, { log, redact }: FinishOptions): OperationError {
  if (isHoldfastError(error)) {
    const remedy = error.remedy === undefined ? null : redact(error.remedy);
    return { message: redact(error.message), remedy, requestId: null };
  }
  const requestId = newId();
  log.error(
    {
      requestId,
      operationId: claim.operationId,
      error: redact(messageOf(error)),
      stack: stackOf(error, redact),
    },
    "an operation failed unexpectedly",
  );
  const message = "It stopped for a reason that Holdfast did not expect.";
  return { message, remedy: `The worker's log tells more under ${requestId}.`, requestId };
}

function stackOf(error: unknown, redact: (text: string) => string): string | undefined {
  return error instanceof Error && error.stack ? redact(error.stack) : undefined;
}
