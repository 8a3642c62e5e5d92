import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { restoreBackup } from "../../lib/backups/restore-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { BackupDto } from "../../lib/backups/schema.ts";
import { verifyBackup } from "../../lib/backups/verify-backup.ts";
import type { OperationDto } from "../../lib/operations/schema.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { descendantsOf, killAll } from "../../lib/transfer/process-tree.ts";
import { promiseOf } from "./expectations.ts";
import { DUMPING, holdDump, holdRestore, releaseAll, setPace } from "./gates.ts";
import type { Install } from "./install.ts";
import { installWithShops, WITHIN } from "./install.ts";
import { nothingLeft, processes } from "./leftovers.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** How a worker dies; both at once, since both wait for the same lease, that of real workers: 30 s. */
const DEATHS = [
  { pool: "alone", how: "alone", whole: false },
  { pool: "whole", how: "together with all that it started", whole: true },
];
/** Seconds that the proof takes in its sandbox, so that there is a middle to be killed in. */
const PROOF_SECONDS = 8;

/** What a doomed worker is at. */
interface Work {
  worker: WorkerProcess;
  good: BackupDto;
  dump: { id: string; operationId: string };
  proofOf: string;
  proof: string;
  restoreNew: string;
  restoreOver: string;
}

let server: TestPostgres;
let cleanUp: () => Promise<void>;
let install: Install;
const work = new Map<string, Work>();
const known = DEATHS.flatMap(({ pool }) => ["dump", "proof", "over"].map((what) => `${pool}-${what}`));

beforeAll(async () => {
  const pools = known.map((name) => [name, name.split("-")[0] ?? ""]);
  ({ install, server, cleanUp } = await installWithShops(Object.fromEntries(pools)));
  const prepared = await Promise.all(DEATHS.map(({ pool }) => prepare(pool)));
  await holdRestore(server);
  for (const one of prepared) work.set(one.pool, await begin(one));
  for (const { pool, whole } of DEATHS) await killInProof(pool, whole);
  await vi.waitFor(async () => expect(await processes(install)).toEqual([]), WITHIN);
  await Promise.all(DEATHS.map(({ pool }) => install.worker(`heir-${pool}`, { pool })));
}, 300_000);
afterAll(async () => {
  await releaseAll();
  await cleanUp();
});

async function prepare(pool: string) {
  const worker = await install.worker(`doomed-${pool}`, { pool });
  const good = await install.proven(`${pool}-dump`);
  await setPace(server, `${pool}-proof`, { restoring: PROOF_SECONDS });
  const slow = await runBackup(install.ctx, { database: `${pool}-proof`, verify: false });
  await install.until(slow.operationId, "succeeded");
  return { pool, worker, good, proofOf: slow.id };
}

/** Restores that stop at an index, one into a new database and one over another; a dump that stops half way. */
async function begin({ pool, ...rest }: Awaited<ReturnType<typeof prepare>>): Promise<Work> {
  const { ctx } = install;
  const { good } = rest;
  const over = await restoreBackup(ctx, good.id, {
    target: { kind: "over", database: `${pool}-over`, confirm: `${pool}-over`, endSessions: true },
  });
  const made = await restoreBackup(ctx, good.id, {
    target: { kind: "new", on: `${pool}-proof`, name: `${pool}-new`, register: true },
  });
  const gate = await holdDump(server, `${pool}-dump`);
  const dump = await runBackup(ctx, { database: `${pool}-dump` });
  await gate.reached(DUMPING);
  await install.untilStep(dump.operationId, "Dump");
  await install.untilStep(made.id, "Restore");
  await install.untilStep(over.id, "Restore");
  return { ...rest, dump, restoreNew: made.id, restoreOver: over.id, proof: "" };
}

async function killInProof(pool: string, whole: boolean): Promise<void> {
  const found = work.get(pool);
  if (!found) throw new Error(`nothing runs in ${pool}`);
  const { id } = await verifyBackup(install.ctx, found.proofOf);
  await install.untilStep(id, "Restore");
  const started = whole ? await descendantsOf(found.worker.pid) : [];
  await found.worker.kill();
  await killAll(started);
  work.set(pool, { ...found, proof: id });
}

const statesOf = ({ transitions }: OperationDto) =>
  transitions.map(({ attempt, state }) => `${attempt} ${state}`);
const LOST = (pool: string) => `The worker doomed-${pool} was lost: it stopped renewing its claim.`;

describe.each(DEATHS)("a worker that is killed $how", ({ pool }) => {
  const mine = () => {
    const found = work.get(pool);
    if (!found) throw new Error("the set-up failed");
    return found;
  };

  it("leaves restores interrupted for good", async () => {
    for (const id of [mine().restoreNew, mine().restoreOver]) {
      const ended = await install.until(id, "interrupted");
      expect(ended.reason).toBe(LOST(pool));
      expect(statesOf(ended)).toEqual(["0 queued", "1 running", "1 interrupted"]);
      expect(ended.steps.at(-1)).toMatchObject({ name: "Restore", state: "interrupted" });
    }
    expect(await install.ctx.db.database.count({ where: { name: `${pool}-new` } })).toBe(0);
  });

  it("leaves the target of a restore as it was, with its safety backup", async () => {
    const client = await server.client(`${pool}-over`);
    const { rows } = await client.query("SELECT count(*)::int AS n FROM c_last");
    await client.end();
    expect(rows).toEqual([{ n: 40_000 }]);
    expect(await promiseOf(install, `${pool}-over`)).toMatchObject({
      state: "warning",
      text: expect.stringMatching(/^proven/),
    });
  });

  it("has its proof tried again, once, and that one counts", async () => {
    const ended = await install.until(mine().proof, "succeeded");
    expect(statesOf(ended)).toEqual([
      "0 queued",
      "1 running",
      "1 interrupted",
      "1 queued",
      "2 running",
      "2 succeeded",
    ]);
    expect(ended.transitions[2]?.reason).toBe(LOST(pool));
    const backup = await getBackup(install.ctx, mine().proofOf);
    expect(backup).toMatchObject({ state: "complete", proof: { verdict: "proven", operationId: ended.id } });
    expect(backup.proofs).toHaveLength(1);
  });

  it("has its dump tried again, once; the half-written one is gone", async () => {
    const { dump, good } = mine();
    await releaseAll();
    const ended = await install.until(dump.operationId, "succeeded");
    expect(ended).toMatchObject({ attempt: 2 });
    expect(ended.transitions[2]).toMatchObject({ state: "interrupted", reason: LOST(pool) });
    const { verification } = await getBackup(install.ctx, dump.id);
    if (verification) await install.until(verification.operationId, "succeeded");
    expect(await getBackup(install.ctx, dump.id)).toMatchObject({
      state: "complete",
      proof: { verdict: "proven", level: "restored" },
      copies: [{ state: "stored" }],
      lastProvenBackup: { id: dump.id },
    });
    expect(await getBackup(install.ctx, good.id)).toMatchObject({ proof: { verdict: "proven" } });
    expect(await promiseOf(install, `${pool}-dump`)).toMatchObject({ href: `/backups/${dump.id}` });
  });
});

it("leaves no process, folder, sandbox, object, session or database behind", async () => {
  await nothingLeft(install, server, known);
});
