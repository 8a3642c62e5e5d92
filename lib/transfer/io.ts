import type { EngineSign } from "../engines/engine.ts";
import type { Progress } from "../operations/schema.ts";

/** What a transfer (runDump, runVerify, runRestore) gets beside its spec; all of it reaches the operation. */
export interface TransferIo {
  /** Aborted by cancel, stall, shutdown, or the end of the worker; its reason is an Error that says which. */
  signal: AbortSignal;
  log(line: string, level?: "info" | "warn" | "error"): void;
  progress(progress: Progress): void;
  /** Whether it gets on where there is no progress to tell; a sign of movement counts as progress. */
  sign(sign: EngineSign): void;
  /**
   * Writes down, before something that only a clean-up could take back, what that has to know. Throws when this
   * attempt no longer holds the operation, or nobody is there to write: then it must not be begun.
   */
  unsettled(what: Record<string, unknown>): Promise<void>;
  /**
   * Ends the step before, if any, and begins this one in the operation's timeline. `detail` is shown with the
   * step that ends. When the transfer throws, the step that runs is the one that failed.
   */
  step(name: string, detail?: string | null): void;
}
