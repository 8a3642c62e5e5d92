import { setTimeout as delay } from "node:timers/promises";
import { retryCopies } from "../lib/backups/retry-copies.ts";
import { retryRemovals } from "../lib/backups/retry-removals.ts";
import { cleanUpStorage } from "../lib/backups/storage-clean-up.ts";
import type { Ctx } from "../lib/context.ts";
import { asSystem } from "../lib/context.ts";
import { messageOf } from "../lib/errors.ts";
import { runScheduler } from "../lib/policies/run-scheduler.ts";

/** What workers do from time to time without being asked, in every one of them; each must bear company. */
interface Chore {
  name: string;
  run(ctx: Ctx): Promise<void>;
}

/** Each list is worked through by itself: a disk that does not answer must not keep policies from being run. */
const CHORES: readonly (readonly Chore[])[] = [
  [{ name: "run policies", run: runScheduler }],
  [
    { name: "clean up at destinations", run: cleanUpStorage },
    { name: "make missing copies", run: retryCopies },
    { name: "delete what a destination has kept", run: retryRemovals },
  ],
];
const EVERY_MS = 5_000;
const STOP_MS = 2_000;

/** Runs the chores until it is stopped. One that fails is tried again the next time. */
export function startChores(base: Omit<Ctx, "actor">, everyMs = EVERY_MS): { stop(): Promise<void> } {
  const ctx = asSystem(base, "Holdfast");
  const lists = CHORES.map((chores) => startList(ctx, chores, everyMs));
  return {
    async stop() {
      const passing = lists.map(({ stop }) => stop());
      // What a disk holds up is done by another worker, or after the next start.
      await Promise.race([Promise.all(passing), delay(STOP_MS, undefined, { ref: false })]);
    },
  };
}

function startList(ctx: Ctx, chores: readonly Chore[], everyMs: number): { stop(): Promise<void> } {
  let passing: Promise<void> | null = null;
  const pass = async () => {
    for (const { name, run } of chores) {
      await run(ctx).catch((error: unknown) => ctx.log.warn({ err: messageOf(error), chore: name }, "chore"));
    }
  };
  const timer = setInterval(() => {
    passing ??= pass().finally(() => {
      passing = null;
    });
  }, everyMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await passing;
    },
  };
}
