import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { HoldfastError, messageOf } from "../../errors.ts";
import { INSIDE } from "../../sandbox/bubblewrap.ts";
import type { HostIsolation } from "../../sandbox/isolation.ts";
import type { SandboxLimits } from "../../sandbox/limits.ts";
import { defaultLimits } from "../../sandbox/limits.ts";
import type { IsolationMethod } from "../../sandbox/run-isolated.ts";
import { runIsolated } from "../../sandbox/run-isolated.ts";
import type { SandboxFolder } from "../../sandbox/sandbox-folder.ts";
import { makeSandboxFolder } from "../../sandbox/sandbox-folder.ts";
import { newSandboxUser } from "../../sandbox/sandbox-user.ts";
import type { SandboxLife } from "../../sandbox/watch-life.ts";
import { watchLife } from "../../sandbox/watch-life.ts";
import type { Sandbox, SandboxRequest, WorkContext } from "../engine.ts";
import { SandboxClient } from "./sandbox-client.ts";
import { programInside, programOnHost } from "./sandbox-program.ts";

/** What a sandbox of a file must know of a proof. */
export type FileRequest = Pick<SandboxRequest, "diskBudgetBytes" | "hidden">;

/** For tests; by default what the host and the machine allow, a day, and sandbox-child.ts. */
export interface SandboxOptions {
  isolation?: HostIsolation;
  limits?: Partial<SandboxLimits>;
  longestMs?: number;
  program?: string;
}

/** A way to keep the program apart, and what a proof says of it. */
export interface Way {
  level: Sandbox["isolation"];
  method: IsolationMethod;
  ownUser: boolean;
  detail: string;
}

/** Longest start of the program on a busy machine. */
const START_MS = 60_000;

/** Address space that JavaScript's engine sets aside without using it: 1.14 GB with Node 24. */
const RESERVED_BYTES = 1.5 * 1024 ** 3;

export interface Started {
  id: string;
  version: string;
  client: SandboxClient;
  life: SandboxLife;
}

/** Starts the program in one way. Throws `unavailable` when that is not possible here. */
export async function start(
  way: Way,
  request: FileRequest,
  work: WorkContext,
  options: SandboxOptions,
): Promise<Started> {
  const folder = await folderFor(way, path.dirname(work.tempDir));
  let life: SandboxLife | undefined;
  try {
    const inside = way.level === "namespaces";
    const { memoryBytes, ...limits } = defaultLimits();
    const run = runIsolated({
      method: way.method,
      user: folder.user,
      folder: folder.box,
      socketDir: null,
      etc: folder.etc,
      hidden: [...request.hidden, work.tempDir],
      limits: {
        ...limits,
        memoryBytes: memoryBytes + RESERVED_BYTES,
        fileBytes: request.diskBudgetBytes,
        ...options.limits,
      },
      shell: false,
      env: { TMPDIR: inside ? INSIDE.folder : folder.box, TZ: "UTC" },
      channel: true,
      ...(inside ? programInside(folder.id, options.program) : await programOnHost(folder, options.program)),
    });
    life = watchLife(run, folder, request.diskBudgetBytes, options.longestMs);
    const { ended } = life;
    if (!run.channel) throw new HoldfastError("unavailable", "The sandbox's program could not be started.");
    const over = run.exited.then(() =>
      ended.aborted ? ended.reason : new HoldfastError("unavailable", "The sandbox was stopped."),
    );
    const client = new SandboxClient(run.channel, over);
    const pid = await run.pid;
    if (pid !== null) await folder.claim(pid);
    const version = await untilReady(client, work.signal);
    return { id: folder.id, version, client, life };
  } catch (error) {
    await (life ? life.stop() : folder.remove());
    throw error;
  }
}

/** A folder of the way's user. Throws `unavailable` when there can be no such user here. */
async function folderFor({ ownUser }: Way, tempRoot: string): Promise<SandboxFolder> {
  try {
    return await makeSandboxFolder(tempRoot, ownUser ? await newSandboxUser() : null, "unused");
  } catch (error) {
    // Root without the right to hand a folder to somebody else.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
    throw new HoldfastError("unavailable", messageOf(error), { cause: error });
  }
}

async function untilReady(client: SandboxClient, signal: AbortSignal): Promise<string> {
  const timer = new AbortController();
  const late = delay(START_MS, undefined, { signal: AbortSignal.any([signal, timer.signal]) }).then(() => {
    throw new HoldfastError("timeout", "The sandbox's program did not start in a minute.", {
      remedy: "See what keeps this machine busy, and try again.",
    });
  });
  try {
    return await Promise.race([client.ready(), late]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}
