import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..");
const READY = /^Holdfast is ready: (\S+)(?: - claim the first account at \S+token=(\S+))?/m;

export interface Install {
  url: string;
  /** For the first account; null once it is claimed. */
  claimToken: string | null;
  dataFolder: string;
  child: ChildProcess;
  /** Everything that the console has said so far. */
  console(): string;
  /** Ctrl-C, and waits until it is over. Returns the exit code. */
  stop(): Promise<number | null>;
}

export interface InstallOptions {
  port: number;
  dataFolder: string;
  args?: string[];
  env?: Record<string, string>;
  /** By npm itself instead of the script that it runs. */
  npm?: boolean;
  /** Of another clone than this one. */
  root?: string;
  /** Program and arguments that it runs under. */
  wrapper?: string[];
  /** Run as this user. */
  uid?: number;
  gid?: number;
}

/** `npm start`, as people run it; it ends when this process ends. Does not wait. */
export function spawnInstall(options: InstallOptions): {
  child: ChildProcess;
  console: () => string;
  exited: Promise<number | null>;
} {
  const { uid, gid, wrapper = [], root = ROOT } = options;
  const program = options.npm ? ["npm", "start", "--"] : [process.execPath, path.join(root, "bin/start.mjs")];
  const [command, ...args] = [...wrapper, ...program, ...(options.args ?? [])];
  const child = spawn(command ?? "", args, {
    cwd: root,
    env: {
      ...process.env,
      PORT: String(options.port),
      HOLDFAST_DATA: options.dataFolder,
      HOLDFAST_SUPERVISED: "1",
      DATABASE_URL: "",
      ...options.env,
    },
    stdio: ["pipe", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  }
  const exited = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", resolve);
  });
  return { child, console: () => text, exited };
}

/** Starts an install and waits for its ready line. Throws with what the console said when there is none. */
export async function startInstall(options: InstallOptions): Promise<Install> {
  const { child, console: said, exited } = spawnInstall(options);
  let over = false;
  void exited.then(() => {
    over = true;
  });
  const match = await new Promise<RegExpExecArray | null>((resolve) => {
    const look = () => {
      const found = READY.exec(said());
      if (found || over) resolve(found);
    };
    child.stdout?.on("data", look);
    void exited.then(look);
  });
  if (!match) throw new Error(`npm start ended before it was ready:\n${said()}`);
  return {
    url: match[1] ?? "",
    claimToken: match[2] ?? null,
    dataFolder: options.dataFolder,
    child,
    console: said,
    async stop() {
      child.kill("SIGINT");
      return await exited;
    },
  };
}
