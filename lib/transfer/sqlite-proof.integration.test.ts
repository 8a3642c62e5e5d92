import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { cp, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { probeIsolation } from "../sandbox/isolation.ts";
import { sweepLeftovers } from "../sandbox/leftovers.ts";
import { isRunning } from "../sandbox/process-identity.ts";
import { sandboxRoot } from "../sandbox/sandbox-folder.ts";
import { findProcesses } from "../sandbox/testing/find-processes.ts";
import { descendantsOf } from "./process-tree.ts";
import { recordingIo } from "./testing/recording-io.ts";
import { type StoredBackup, setUpTransfers, type TransferSetUp } from "./testing/transfer-setup.ts";
import { runVerify } from "./verify.ts";

const PATIENT = { timeout: 30_000, interval: 20 };

let setUp: TransferSetUp;
let stored: StoredBackup;

beforeAll(async () => {
  setUp = await setUpTransfers("sqlite");
  const file = join(setUp.folder, "kiosk.sqlite");
  const database = new DatabaseSync(file);
  // Large enough to be caught in the middle.
  database.exec(`CREATE TABLE scans (id INTEGER PRIMARY KEY, image BLOB); WITH RECURSIVE n(i) AS
    (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO scans SELECT i, randomblob(4000) FROM n`);
  database.close();
  stored = await setUp.dump({ connection: { file } }, await setUp.addDestination("place"));
});
afterAll(() => setUp.cleanUp());

/** Sandboxes that are there now, by name. */
const sandboxes = () => readdir(sandboxRoot(setUp.folder)).catch(() => []);

async function killTheProgram(): Promise<void> {
  const [id] = await sandboxes();
  const pids = await findProcesses(`holdfast-${id}`);
  expect(pids).not.toEqual([]);
  for (const pid of pids) process.kill(pid, "SIGKILL");
}

describe("a proof of a SQLite file", () => {
  it("records the isolation that it had", async () => {
    const result = await runVerify(await setUp.verifySpec(stored), recordingIo());
    const host = await probeIsolation();
    const plain = process.getuid?.() === 0 ? "role" : "none";
    const isolation = host.method.mode === "namespaces" ? "namespaces" : plain;
    expect(result).toMatchObject({ verdict: "proven", level: "restored", isolation });
    expect(result.report.sandbox).toMatchObject({
      engine: "sqlite",
      isolation,
      detail: expect.stringContaining("trusted_schema off"),
    });
    expect(await sandboxes()).toEqual([]);
  });

  it("is no verdict on the backup when its program is killed, and says so", async () => {
    let killed: Promise<void> | null = null;
    const io = recordingIo((progress) => {
      if (progress.label === "Restore") killed ??= killTheProgram();
    });
    const result = await runVerify(await setUp.verifySpec(stored), io);
    await killed;
    expect(result).toMatchObject({ verdict: "unverifiable", level: "readable", copyState: "stored" });
    expect(result.reason).toContain("The sandbox ended by itself (SIGKILL)");
    expect(await sandboxes()).toEqual([]);
  });

  it("is failed by one flipped bit of the copy", async () => {
    const place = await setUp.addDestination("flipped");
    const folder = join(place.folder, stored.spec.path);
    await cp(stored.folder, folder, { recursive: true });
    const file = join(folder, "dump.sqlite.zst.age");
    const handle = await open(file, "r+");
    const at = Math.floor((await stat(file)).size / 2);
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
    await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
    await handle.close();
    const flipped = await runVerify(
      await setUp.verifySpec({ ...stored, destination: place, folder }),
      recordingIo(),
    );
    expect(flipped).toMatchObject({ verdict: "failed", level: null, copyState: "altered" });
    expect(await sandboxes()).toEqual([]);
  });

  it("that is cancelled in the middle leaves nothing", async () => {
    const io = recordingIo((progress) => {
      if (progress.label === "Fingerprint") io.abort(new Error("cancelled by the user"));
    });
    await expect(runVerify(await setUp.verifySpec(stored), io)).rejects.toThrow("cancelled by the user");
    expect(await sandboxes()).toEqual([]);
  });

  it("whose worker is killed leaves no process, and after the sweep no folder", async () => {
    const spec = await setUp.verifySpec(stored);
    const worker: ChildProcess = fork(join(import.meta.dirname, "testing/hold-transfer.ts"), [
      JSON.stringify(spec),
    ]);
    for (let step = ""; step !== "Restore"; ) [step] = (await once(worker, "message")) as [string];
    const below = await descendantsOf(worker.pid ?? 0);
    const [id = "none"] = await sandboxes();
    expect(await findProcesses(`holdfast-${id}`)).not.toEqual([]);
    const exited = once(worker, "exit");
    worker.kill("SIGKILL");
    await exited;
    await vi.waitFor(async () => {
      expect(await Promise.all(below.map(isRunning))).not.toContain(true);
      expect(await findProcesses(`holdfast-${id}`)).toEqual([]);
    }, PATIENT);
    await sweepLeftovers(setUp.folder);
    expect(await sandboxes()).toEqual([]);
  });
});
