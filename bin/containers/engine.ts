import { spawn, spawnSync } from "node:child_process";
import { ROOT } from "../../lib/root.ts";

/** The container engine that is here, and the compose that goes with it. */
export interface ContainerEngine {
  name: "docker" | "podman";
  compose: string[];
}

const works = (command: string, args: string[]): boolean =>
  spawnSync(command, args, { stdio: "ignore", timeout: 20_000 }).status === 0;

/** docker where its daemon answers, else podman; null where neither can run a compose file. */
export function findEngine(): ContainerEngine | null {
  if (works("docker", ["info"])) {
    if (works("docker", ["compose", "version"])) return { name: "docker", compose: ["docker", "compose"] };
    if (works("docker-compose", ["version"])) return { name: "docker", compose: ["docker-compose"] };
  }
  if (works("podman", ["info"]) && works("podman-compose", ["version"])) {
    return { name: "podman", compose: ["podman-compose"] };
  }
  return null;
}

export interface RunOptions {
  env?: Record<string, string>;
  /** Fed to the program. */
  input?: string;
  /** The output goes to the console instead of being returned. */
  show?: boolean;
  /** Exit codes besides 0 that are fine. */
  ok?: number[];
}

/** Runs a command in the project's folder and returns its stdout. Throws with its stderr when it fails. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { ...process.env, ...options.env },
    stdio: ["pipe", options.show ? "inherit" : "pipe", options.show ? "inherit" : "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin?.end(options.input ?? "");
  const code = await new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      stderr += error.message;
      resolve(null);
    });
    child.once("close", resolve);
  });
  if (code === 0 || (code !== null && options.ok?.includes(code))) return stdout;
  throw new Error(
    `${program} ${args.slice(0, 6).join(" ")} … ended with code ${code}: ${stderr.slice(-2000)}`,
  );
}
