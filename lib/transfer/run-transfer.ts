import type { z } from "zod";
import { messageOf } from "../errors.ts";
import type { Run } from "../operations/handler.ts";
import { secretTexts } from "../storage/registry.ts";
import type {
  CopyResult,
  CopySpec,
  DumpResult,
  DumpSpec,
  RestoreResultMessage,
  RestoreSpec,
  TransferSpec,
  VerifyResult,
  VerifySpec,
} from "./schema.ts";
import { copyResult, dumpResult, restoreResult, transferSpec, verifyResult } from "./schema.ts";
import { runTransferProcess } from "./transfer-process.ts";
import { makeWorkFolder, tempRoot } from "./work-folder.ts";

/** A spec without what runTransfer adds: whose work it is, and its private folders. */
export type TransferRequest<S extends TransferSpec> = Omit<
  S,
  "operationId" | "attempt" | "tempDir" | "spoolDir"
>;

const RESULTS = {
  dump: dumpResult,
  verify: verifyResult,
  restore: restoreResult,
  copy: copyResult,
} as const;

/**
 * Runs a transfer in a child process on behalf of an operation: its log, progress and steps become the
 * operation's, an aborted run ends it and all it started, and its folder under HOLDFAST_TEMP is gone afterwards.
 * Returns the validated result; throws what the transfer threw.
 */
export function runTransfer(run: Run<unknown>, request: TransferRequest<DumpSpec>): Promise<DumpResult>;
export function runTransfer(run: Run<unknown>, request: TransferRequest<VerifySpec>): Promise<VerifyResult>;
export function runTransfer(
  run: Run<unknown>,
  request: TransferRequest<RestoreSpec>,
): Promise<RestoreResultMessage>;
export function runTransfer(run: Run<unknown>, request: TransferRequest<CopySpec>): Promise<CopyResult>;
export async function runTransfer(
  run: Run<unknown>,
  request:
    | TransferRequest<DumpSpec>
    | TransferRequest<VerifySpec>
    | TransferRequest<RestoreSpec>
    | TransferRequest<CopySpec>,
): Promise<unknown> {
  const folder = await makeWorkFolder(tempRoot(process.env));
  try {
    const { operationId, attempt } = run;
    const placed = { operationId, attempt, tempDir: folder.path, spoolDir: folder.path };
    const spec = transferSpec.parse({ ...request, ...placed });
    run.hide(...secretsOf(spec));
    const steps = stepsOf(run);
    try {
      const raw = await runTransferProcess(spec, {
        signal: run.signal,
        onLog: (line, level) => run.log(line, level),
        onProgress: (progress) => run.progress(progress),
        onSign: (sign) => run.sign(sign),
        onStep: steps.next,
        onUnsettled: (what) => run.unsettled(what),
      });
      const schema: z.ZodType = RESULTS[request.task];
      const result = schema.parse(raw);
      await steps.end();
      return result;
    } catch (error) {
      await steps.fail(error);
      throw error;
    }
  } finally {
    // The result stands; the next sweep after this worker's end finds what is left.
    await folder.remove().catch((error: unknown) => {
      run.log(`Temporary files could not be removed: ${messageOf(error)}`, "warn");
    });
  }
}

/** Every secret text that a spec carries. */
function secretsOf(spec: TransferSpec): (string | undefined)[] {
  if (spec.task === "dump") return [spec.access.password, ...spec.destinations.flatMap(secretTexts)];
  if (spec.task === "copy") return [spec.source, ...spec.destinations].flatMap(secretTexts);
  if (spec.task === "remove") return spec.folders.flatMap(({ destination }) => secretTexts(destination));
  const source = [...secretTexts(spec.destination), ...spec.identities];
  return spec.task === "restore" ? [...source, spec.on.password] : source;
}

/** Turns the transfer's step boundaries into steps of the operation, one after the other. */
function stepsOf(run: Run<unknown>) {
  let end: ((how: { detail: string | null } | { error: unknown }) => void) | null = null;
  let ended: Promise<unknown> = Promise.resolve();
  const close = (how: { detail: string | null } | { error: unknown }) => {
    end?.(how);
    end = null;
  };
  return {
    next(name: string, detail: string | null) {
      close({ detail });
      if (run.signal.aborted) return;
      const work = new Promise<string | null>((resolve, reject) => {
        end = (how) => ("error" in how ? reject(how.error) : resolve(how.detail));
      });
      ended = run
        .step(
          name,
          () => work,
          (text) => text,
        )
        .catch(() => undefined);
    },
    async end() {
      close({ detail: null });
      await ended;
    },
    async fail(error: unknown) {
      close({ error });
      await ended;
    },
  };
}
