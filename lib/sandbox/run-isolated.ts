import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { messageOf } from "../errors.ts";
import { trackGroup } from "../process/process-group.ts";
import type { Tools } from "./bubblewrap.ts";
import {
  BODY_FD,
  bubblewrapArguments,
  dropPrivileges,
  INFO_FD,
  limitResources,
  SECCOMP_FD,
} from "./bubblewrap.ts";
import type { SandboxLimits } from "./limits.ts";
import type { SandboxUser } from "./sandbox-user.ts";
import { seccompProgram } from "./seccomp.ts";

/** How programs are kept apart on this host; see probeIsolation. */
export type IsolationMethod =
  | { mode: "namespaces"; tools: Tools }
  | { mode: "role"; tools: { setpriv: string | null; prlimit: string | null } };

export interface IsolatedProgram {
  method: IsolationMethod;
  user: SandboxUser | null;
  folder: string;
  socketDir: string | null;
  etc: string;
  programs: { from: string; to: string }[];
  hidden: string[];
  limits: SandboxLimits;
  /** Whether a shell is visible inside; where there are no namespaces, the host's always is. */
  shell: boolean;
  env: Record<string, string>;
  command: string[];
  /** Each line that the program says. */
  onLine?: (line: string) => void;
  /** The caller talks with the program; see IsolatedRun.channel. */
  channel?: boolean;
}

export interface IsolatedRun {
  /** Process on the host that the sandbox's life hangs on: the first one inside, or the program itself. */
  pid: Promise<number | null>;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** The last 8,000 characters that it said; of stderr alone where stdout is the caller's. */
  tail(): string;
  /** Where the caller asked for it. Each part may end or fail at any time. */
  channel: Channel | null;
  /** Ends all of it at once; settles when no process of it is left. */
  end(): Promise<void>;
}

export interface Channel {
  /** The program's stdin. */
  input: Writable;
  /** Its stdout. */
  output: Readable;
  /** Its descriptor BODY_FD, for one long stream of bytes. */
  body: Writable;
}

const TAIL = 8_000;

/** Starts a program isolated by the given method, in a process group of its own. Never rejects: see `exited`. */
export function runIsolated(program: IsolatedProgram): IsolatedRun {
  const { method } = program;
  const namespaces = method.mode === "namespaces";
  const seccomp = namespaces ? seccompProgram() : null;
  const argv = namespaces
    ? bubblewrapArguments({ ...program, tools: method.tools, seccomp: seccomp !== null })
    : plainArguments(program, method.tools);
  const [file = "", ...args] = argv;
  const child = spawn(file, args, {
    cwd: namespaces ? "/" : program.folder,
    // Next types NODE_ENV as always present; here it is left out on purpose.
    env: (namespaces
      ? {}
      : { PATH: "/usr/bin:/bin", HOME: program.folder, ...program.env }) as NodeJS.ProcessEnv,
    stdio: program.channel
      ? ["pipe", "pipe", "pipe", "pipe", "pipe", "pipe"]
      : ["ignore", "pipe", "pipe", "pipe", "pipe"],
    // A Ctrl-C at the terminal ends the worker, which then ends this.
    detached: true,
    ...(!namespaces && !method.tools.setpriv && program.user ? program.user : {}),
  });
  const untrack = child.pid === undefined ? () => undefined : trackGroup(child.pid);
  let text = "";
  let open = "";
  const hear = (chunk: string) => {
    text = (text + chunk).slice(-TAIL);
    if (!program.onLine) return;
    const lines = (open + chunk).split("\n");
    open = (lines.pop() ?? "").slice(-TAIL);
    for (const line of lines) program.onLine(line);
  };
  const channel = channelOf(child);
  for (const stream of [channel ? null : child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", hear);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("error", (error) => {
      hear(messageOf(error));
      resolve({ code: null, signal: null });
    });
    // Not "close": a process that got away with a pipe would hold that back.
    child.once("exit", (code, signal) => {
      untrack();
      resolve({ code, signal });
    });
  });
  const filter = child.stdio[SECCOMP_FD] as Writable | null;
  filter?.on("error", () => undefined).end(seccomp ?? undefined);
  const pid = namespaces ? firstInside(child, exited) : Promise.resolve(child.pid ?? null);
  return {
    pid,
    exited,
    tail: () => text.trim(),
    channel,
    async end() {
      await (namespaces ? endNamespace(child, await pid) : endServer(child, exited));
      await exited;
    },
  };
}

function channelOf({ stdin, stdout, stdio }: ChildProcess): Channel | null {
  // Its type knows five descriptors.
  const body = (stdio as unknown[])[BODY_FD] as Writable | null | undefined;
  if (!stdin || !stdout || !body) return null;
  // The end of the program tells more than a broken pipe.
  for (const stream of [stdin, stdout, body]) stream.on("error", () => undefined);
  return { input: stdin, output: stdout, body };
}

function plainArguments(
  program: IsolatedProgram,
  tools: { setpriv: string | null; prlimit: string | null },
): string[] {
  const argv: string[] = [];
  if (tools.setpriv) argv.push(...dropPrivileges(tools.setpriv, program.user, true));
  if (tools.prlimit) argv.push(...limitResources(tools.prlimit, program.limits, program.user !== null));
  return [...argv, ...program.command];
}

/** Number on the host of the sandbox's process 1, as bwrap reports it; null when it never got that far. */
async function firstInside(child: ChildProcess, exited: Promise<unknown>): Promise<number | null> {
  const info = child.stdio[INFO_FD] as Readable | null;
  if (!info) return null;
  const reported = new Promise<number | null>((resolve) => {
    let text = "";
    info.setEncoding("utf8").on("error", () => resolve(null));
    info.on("data", (chunk: string) => {
      text += chunk;
      const found = /"child-pid"\s*:\s*(\d+)/.exec(text)?.[1];
      if (found && text.includes("}")) resolve(Number(found));
    });
    info.on("end", () => resolve(null));
  });
  return await Promise.race([reported, exited.then(() => null)]);
}

/** When process 1 ends, the kernel ends all others of its namespace before bwrap can see it gone. */
async function endNamespace(child: ChildProcess, first: number | null): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (first === null) {
    child.kill("SIGKILL");
    return;
  }
  try {
    process.kill(first, "SIGKILL");
  } catch (error) {
    // It has ended, and bwrap's own end is not seen yet.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** SIGQUIT makes a PostgreSQL server end its children, which have sessions of their own. */
async function endServer(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGQUIT");
  const force = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await exited;
  clearTimeout(force);
}
