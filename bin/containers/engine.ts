import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ROOT } from "../../lib/root.ts";

/** The container engine that is here, and the compose that goes with it. */
export interface ContainerEngine {
  name: "docker" | "podman";
  compose: string[];
  /** What compose needs to find the engine. */
  env: Record<string, string>;
  /** Whether the engine itself runs health checks; podman leaves that to timers of systemd. */
  runsHealthChecks: boolean;
  close(): Promise<void>;
}

const works = (command: readonly string[]): boolean => {
  const [program = "", ...args] = command;
  return spawnSync(program, args, { stdio: "ignore", timeout: 60_000 }).status === 0;
};

const COMPOSES = [["docker", "compose"], ["docker-compose"]];

/**
 * docker where its daemon answers, else podman, whose service the same compose talks to: podman-compose would not
 * wait for the conditions between services. Null where neither is there.
 */
export async function findEngine(): Promise<ContainerEngine | null> {
  const compose = COMPOSES.find((command) => works([...command, "version"]));
  if (!compose) return null;
  if (works(["docker", "info"]) && !isPodman()) {
    return { name: "docker", compose, env: {}, runsHealthChecks: true, close: async () => undefined };
  }
  return works(["podman", "info"]) ? await podmanService(compose) : null;
}

/** Whether docker's program talks to podman. */
function isPodman(): boolean {
  const { stdout } = spawnSync("docker", ["version"], { encoding: "utf8", timeout: 60_000 });
  return stdout.includes("Podman Engine");
}

/** Podman's own answer to docker's API, for as long as the checks take. */
async function podmanService(compose: string[]): Promise<ContainerEngine> {
  const folder = mkdtempSync(path.join(tmpdir(), "holdfast-podman-"));
  const socket = path.join(folder, "podman.sock");
  const service = spawn("podman", ["system", "service", "--time=0", `unix://${socket}`], {
    stdio: "ignore",
    // A Ctrl-C must not end it before the containers are gone.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => service.once("exit", () => resolve()));
  service.once("error", () => undefined);
  for (let tries = 0; !existsSync(socket); tries++) {
    if (tries > 300 || service.exitCode !== null) throw new Error("podman system service did not start");
    await delay(100);
  }
  return {
    name: "podman",
    compose,
    env: { DOCKER_HOST: `unix://${socket}` },
    runsHealthChecks: existsSync("/run/systemd/system"),
    async close() {
      service.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface RunOptions {
  env?: Record<string, string>;
  /** Fed to the program. */
  input?: string;
  /** The output goes to the console instead of being returned. */
  show?: boolean;
  /** stderr comes with stdout. */
  both?: boolean;
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
    if (options.both) stdout += text;
    stderr += text;
  });
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.input ?? "");
  const code = await new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      stderr += error.message;
      resolve(null);
    });
    child.once("close", resolve);
  });
  if (code === 0) return stdout;
  throw new Error(
    `${program} ${args.slice(0, 8).join(" ")} … ended with code ${code}: ${stderr.slice(-2000)}`,
  );
}
