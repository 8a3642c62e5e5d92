import { runChainer } from "../audit/chain.ts";
import { runTidyUp } from "../auth/tidy-up.ts";
import { startReconciler } from "../operations/reconciler.ts";
import { baseCtx, getRuntime } from "../runtime.ts";

/**
 * What runs in a web process beside its pages: the reconciler, so that a lost worker is noticed when no other is
 * left, the audit chainer, and the tidying up. All end with the process's SIGTERM or SIGINT.
 */
export async function startWebBackground(): Promise<void> {
  const runtime = await getRuntime();
  const { db, log, keyring } = runtime;
  const ending = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => ending.abort());
  const reconciler = startReconciler({ db, log, handlerOf: null });
  ending.signal.addEventListener("abort", () => void reconciler.stop(), { once: true });
  void runChainer(baseCtx(runtime), { auditKey: keyring.auditKey, signal: ending.signal });
  void runTidyUp(baseCtx(runtime), ending.signal);
}
