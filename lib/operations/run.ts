import type { Ctx } from "../context.ts";
import { HoldfastError, isHoldfastError } from "../errors.ts";
import { abortOf } from "./aborted.ts";
import type { Claim } from "./claim.ts";
import { lockClaim } from "./claim.ts";
import type { EndedOperation, Run } from "./handler.ts";
import { patientReads, persist } from "./persist.ts";
import type { RecordedStep, RunRecorder } from "./run-recorder.ts";
import { writeUnsettled } from "./unsettled.ts";

export interface RunParts<P> {
  claim: Claim;
  payload: P;
  ctx: Ctx;
  signal: AbortSignal;
  recorder: RunRecorder;
  waitFor(operationId: string): Promise<EndedOperation>;
}

/** The handler's view of one attempt. */
export function makeRun<P>({ claim, payload, ctx, signal, recorder, waitFor }: RunParts<P>): Run<P> {
  const steps: RecordedStep[] = [];
  const current = () => steps.findLast((step) => step.finishedAt === null)?.name ?? null;

  async function step<T>(
    name: string,
    work: () => Promise<T>,
    detail?: (result: T) => string | null,
  ): Promise<T> {
    signal.throwIfAborted();
    const made: RecordedStep = {
      seq: steps.length + 1,
      name,
      state: "running",
      detail: null,
      startedAt: new Date(),
      finishedAt: null,
    };
    steps.push(made);
    recorder.step(made);
    const end = (state: RecordedStep["state"], text: string | null) => {
      Object.assign(made, { state, detail: text, finishedAt: new Date() });
      recorder.step(made);
    };
    try {
      const result = await work();
      end("succeeded", detail?.(result) ?? null);
      return result;
    } catch (error) {
      end(stateOfFailure(signal), isHoldfastError(error) ? error.message : null);
      throw error;
    }
  }

  // Waiting for our own database is not a stall of the work.
  const waiting = { signal, onWait: () => recorder.touch() };
  const save: Run<P>["save"] = async (work) => {
    const result = await persist(
      ctx.db,
      async (tx) => {
        await lockClaim(tx, claim);
        return await work(tx);
      },
      waiting,
    );
    recorder.touch();
    return result;
  };

  return {
    operationId: claim.operationId,
    rootId: claim.rootId,
    attempt: claim.attempt,
    databaseId: claim.databaseId,
    backupId: claim.backupId,
    serverIdentity: claim.serverIdentity,
    payload,
    ctx: { ...ctx, db: patientReads(ctx.db, waiting) },
    signal,
    log: (line, level = "info") => recorder.line(line, level, current()),
    progress: (progress) => recorder.progress(progress),
    sign: (sign) => recorder.sign(sign),
    step,
    hide: (...secrets) => recorder.redactor.hide(secrets),
    waitFor,
    save,
    unsettled: (what) => save((tx) => writeUnsettled(tx, claim.operationId, what)),
  };
}

function stateOfFailure(signal: AbortSignal): "failed" | "cancelled" | "interrupted" {
  const kind = abortOf(signal)?.kind;
  if (kind === "cancel") return "cancelled";
  return kind === "shutdown" || kind === "lost" ? "interrupted" : "failed";
}

/** An operation's payload as this version reads it. Throws `invalid` when a later version wrote it. */
export function readPayload(
  schema: { safeParse(value: unknown): { success: boolean; data?: unknown } },
  claim: Claim,
) {
  const parsed = schema.safeParse(claim.payload);
  if (parsed.success) return parsed.data;
  throw new HoldfastError("invalid", "This worker's version cannot read what the operation asks for.", {
    remedy: "Update the worker to the version of the web process, then start it again.",
  });
}
