import type { Job } from "pg-boss";
import { PgBoss } from "pg-boss";
import { RUNTIME_ROLE } from "../db/client.ts";
import type { Logger } from "../logger.ts";
import type { DispatchJob } from "./dispatch.ts";
import { BOSS_SCHEMA, queueName } from "./dispatch.ts";
import type { OperationRunner } from "./runner.ts";

/** Looked at without a NOTIFY this often: retries and what came while the connection was away. */
const POLL_SECONDS = 5;
const POLL_WITHOUT_NOTIFY_SECONDS = 1;

export interface PickUp {
  /** Takes nothing more. Jobs in hand that were not claimed go to other workers. */
  stop(): Promise<void>;
}

/**
 * Takes operations of a pool as soon as they are committed, one after the other while this process has a place
 * for them. The queue must exist (ensureQueue).
 */
export async function startPickUp(options: {
  connectionString: string;
  pool: string;
  runner: OperationRunner;
  log: Logger;
}): Promise<PickUp> {
  const { connectionString, pool, runner, log } = options;
  const boss = new PgBoss({
    connectionString,
    options: `-c role=${RUNTIME_ROLE}`,
    application_name: "holdfast queue",
    schema: BOSS_SCHEMA,
    migrate: false,
    schedule: false,
    supervise: true,
    useListenNotify: true,
    max: 2,
  });
  // pg-boss hands over plain copies of errors.
  boss.on("error", ({ message }) => log.warn({ err: message }, "queue"));
  boss.on("warning", (warning) => log.warn({ warning: warning.message }, "queue"));
  await boss.start();
  const worker: { id: string | null } = { id: null };
  worker.id = await boss.work(
    queueName(pool),
    { pollingIntervalSeconds: POLL_WITHOUT_NOTIFY_SECONDS, notifyPollingIntervalSeconds: POLL_SECONDS },
    async (jobs: Job<DispatchJob>[]) => {
      for (const { data } of jobs) await runner.take(data);
      // The next job is fetched when it can run here; until then it is for other workers to take.
      await runner.gate.whenFree();
      if (worker.id) boss.notifyWorker(worker.id);
    },
  );
  return {
    async stop() {
      runner.gate.close();
      await boss.stop({ graceful: false });
    },
  };
}
