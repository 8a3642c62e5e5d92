import { messageOf } from "../errors.ts";
import type { ReconcileOptions } from "./reconcile.ts";
import { reconcile } from "./reconcile.ts";

export type ReconcilerOptions = Pick<ReconcileOptions, "db" | "log" | "handlerOf"> &
  Partial<ReconcileOptions> & { everyMs?: number };

export interface Reconciler {
  stop(): Promise<void>;
}

const EVERY_MS = 5_000;
/** Web waits this much longer than workers do. */
const WEB_GRACE_MS = 10_000;
const RESTART_GRACE_MS = 20_000;
const UNSENT_MS = 15_000;

/**
 * Reconciles every 5 s, in web and worker alike: an operation whose worker was killed is interrupted or queued
 * again at the latest 30 s (its lease) + 10 s + 5 s after that, whatever else is running.
 */
export function startReconciler(options: ReconcilerOptions): Reconciler {
  const full: ReconcileOptions = {
    graceMs: options.handlerOf ? 0 : WEB_GRACE_MS,
    restartGraceMs: RESTART_GRACE_MS,
    unsentMs: UNSENT_MS,
    ...options,
  };
  let passing: Promise<unknown> = Promise.resolve();
  let busy = false;
  const pass = () => {
    if (busy) return;
    busy = true;
    passing = reconcile(full)
      .catch((error: unknown) =>
        options.log.warn({ err: messageOf(error) }, "reconciling failed; it is tried again"),
      )
      .finally(() => {
        busy = false;
      });
  };
  const timer = setInterval(pass, options.everyMs ?? EVERY_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await passing;
    },
  };
}
