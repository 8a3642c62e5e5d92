import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Db } from "../../lib/db/client.ts";
import { HoldfastError } from "../../lib/errors.ts";
import type { OperationDefinition } from "../../lib/operations/definition.ts";
import { defineOperation } from "../../lib/operations/definition.ts";
import type { OperationHandler, Outcome, Run } from "../../lib/operations/handler.ts";
import { startOperation } from "../../lib/operations/start-operation.ts";

const payload = z.object({
  /** Milliseconds of work. */
  ms: z.number().default(0),
  end: z.enum(["succeed", "find", "throw", "fail", "hang", "ignore", "bad-commit"]).default("succeed"),
  lines: z.array(z.string()).default([]),
  secret: z.string().optional(),
  /** Left unsettled, as far as the handler is concerned. */
  leaves: z.string().optional(),
  /** Tells no progress, only signs that it moves. */
  quiet: z.boolean().default(false),
});
type Payload = z.output<typeof payload>;

const base = { payload, stallSeconds: 2, exclusive: false, usesServer: false };
export const once = defineOperation({ ...base, kind: "test.once", maxAttempts: 1 });
export const twice = defineOperation({ ...base, kind: "test.twice", maxAttempts: 2 });
export const exclusive = defineOperation({
  ...base,
  kind: "test.exclusive",
  maxAttempts: 1,
  exclusive: true,
});
export const onServer = defineOperation({ ...base, kind: "test.server", maxAttempts: 1, usesServer: true });
export const parent = defineOperation({ ...base, kind: "test.parent", maxAttempts: 1, exclusive: true });

/** What handlers did, where tests in other processes can see it. */
export async function createTraces(ownerSql: (text: string) => Promise<unknown>): Promise<void> {
  await ownerSql(`CREATE TABLE test_trace (id bigserial PRIMARY KEY, what text NOT NULL, operation_id uuid NOT NULL,
    attempt int NOT NULL, pid int NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())`);
  await ownerSql(
    "GRANT ALL ON test_trace TO holdfast_runtime; GRANT ALL ON SEQUENCE test_trace_id_seq TO holdfast_runtime",
  );
}

export interface Trace {
  what: string;
  operation_id: string;
  attempt: number;
  pid: number;
  at: Date;
}

export async function tracesOf(db: Db, operationId?: string): Promise<Trace[]> {
  return await db.$queryRaw<Trace[]>`
    SELECT what, operation_id::text, attempt, pid, at FROM test_trace
     WHERE ${operationId ?? null}::uuid IS NULL OR operation_id = ${operationId ?? null}::uuid ORDER BY id`;
}

async function trace(
  db: Pick<Db, "$executeRaw">,
  what: string,
  { operationId, attempt }: { operationId: string; attempt: number },
): Promise<void> {
  await db.$executeRaw`INSERT INTO test_trace (what, operation_id, attempt, pid)
    VALUES (${what}, ${operationId}::uuid, ${attempt}, ${process.pid})`;
}

async function work(run: Run<Payload>): Promise<Outcome> {
  const { ms, end, lines, secret, leaves, quiet } = run.payload;
  run.hide(secret);
  await run.save((tx) => trace(tx, "begin", run));
  if (leaves !== undefined) await run.unsettled({ leaves });
  await run.step("Work", async () => {
    for (const line of lines) run.log(line);
    for (let done = 0; done < ms; done += 20) {
      await delay(Math.min(20, ms - done), undefined, { signal: run.signal }).catch(() =>
        run.signal.throwIfAborted(),
      );
      if (quiet) run.sign({ moving: true });
      else run.progress({ label: "Work", done, total: ms, unit: "rows" });
    }
    if (end === "hang" && quiet) run.sign({ moving: false, why: `it waits for ${secret}` });
    if (end === "hang") await untilAborted(run.signal);
    // Deaf to its signal, as no handler should be.
    if (end === "ignore") await new Promise(() => undefined);
    if (end === "throw") throw new Error(`unexpected: ${secret}`);
    if (end === "fail")
      throw new HoldfastError("unavailable", `The server hung up on ${secret}.`, { remedy: "Call again." });
  });
  await run.save((tx) => trace(tx, "end", run));
  if (end === "find") return { state: "failed", reason: "It is not equal.", result: { equal: false } };
  return {
    reason: "done",
    result: { ms },
    commit: async (tx) => {
      await trace(tx, "commit", run);
      if (end === "bad-commit") throw new Error("the domain's rows refuse");
    },
  };
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  throw signal.reason;
}

function handlerOf(definition: OperationDefinition<typeof payload>): OperationHandler {
  return {
    definition,
    run: (run) => work({ ...run, payload: payload.parse(run.payload) }),
    async onEnd(tx, ended) {
      await trace(tx, `onEnd ${ended.state}${ended.retry ? " retry" : ""}`, ended);
    },
    async cleanUp({ db }, ended) {
      const { state, unsettled } = ended;
      await trace(db, `cleanUp ${state}${unsettled === null ? "" : ` ${JSON.stringify(unsettled)}`}`, ended);
    },
  };
}

const parentHandler: OperationHandler = {
  definition: parent,
  async run(run) {
    const child = await run.save((tx) =>
      startOperation(tx, run.ctx, exclusive, {
        payload: payload.parse(run.payload),
        title: "A child",
        pool: "default",
        trigger: "chain",
        databaseId: run.databaseId,
        parent: run,
      }),
    );
    const ended = await run.waitFor(child);
    return { reason: `the child has ${ended.state}`, result: { child } };
  },
};

export const testHandlers: OperationHandler[] = [
  ...[once, twice, exclusive, onServer].map(handlerOf),
  parentHandler,
];
