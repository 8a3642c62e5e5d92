import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Fingerprint } from "../../proof/schema.ts";
import type {
  Access,
  DumpOptions,
  Engine,
  OpenArtefact,
  RestoreOptions,
  RestoreResult,
  ServerInfo,
  WorkContext,
} from "../engine.ts";

export interface TestWork extends WorkContext {
  lines: string[];
  abort(reason?: Error): void;
}

let count = 0;

/** A context for one piece of work, with a folder of its own and a name that nobody else has. */
export async function startWork(): Promise<TestWork> {
  const controller = new AbortController();
  const lines: string[] = [];
  count++;
  return {
    signal: controller.signal,
    lines,
    log: (line) => lines.push(line),
    progress: () => undefined,
    tempDir: await mkdtemp(path.join(tmpdir(), "hf-engine-")),
    applicationName: `holdfast:test-${process.pid}-${count}`,
    abort: (reason = new Error("Cancelled by a test.")) => controller.abort(reason),
  };
}

export async function endWork(work: TestWork): Promise<void> {
  await rm(work.tempDir, { recursive: true, force: true });
}

/** A dump in plain files, as a destination would keep it without compression and encryption. */
export interface StoredDump {
  info: ServerInfo;
  fingerprint: Fingerprint;
  folder: string;
  fileOf(name: "dump" | "globals"): string;
  open: OpenArtefact;
}

const OPTIONS: DumpOptions = { lockWaitMs: 5000, digestBudgetMs: 600_000 };

/** Dumps into the work's folder, with the fingerprint beside it. */
export async function dumpToFiles(
  engine: Engine,
  access: Access,
  work: TestWork,
  options: Partial<DumpOptions> = {},
): Promise<StoredDump> {
  const session = await engine.beginDump(access, { ...OPTIONS, ...options }, work);
  const fileOf = (name: "dump" | "globals") => path.join(work.tempDir, `stored.${name}`);
  try {
    const store = async () => {
      for (const artefact of session.artefacts) {
        const { stream, done } = artefact.open();
        await pipeline(stream, createWriteStream(fileOf(artefact.name)));
        await done;
      }
    };
    const [fingerprint] = await Promise.all([session.fingerprint(), store()]);
    const open: OpenArtefact = async (name) => createReadStream(fileOf(name));
    return { info: session.info, fingerprint, folder: work.tempDir, fileOf, open };
  } finally {
    await session.close();
  }
}

/** Restores into a new database beside `on` and takes its fingerprint. */
export async function restoreBeside(
  engine: Engine,
  on: Access,
  name: string,
  stored: StoredDump,
  work: TestWork,
  options: Partial<RestoreOptions> = {},
): Promise<{ access: Access; result: RestoreResult; fingerprint: Fingerprint }> {
  const access = await engine.createDatabase(on, name, stored.info, work);
  const restoreOptions = { jobs: 1, spoolDir: null, owners: engine.capabilities.globals, ...options };
  const result = await engine.restore(access, stored.open, restoreOptions, work);
  return { access, result, fingerprint: await engine.fingerprint(access, stored.fingerprint, work) };
}
