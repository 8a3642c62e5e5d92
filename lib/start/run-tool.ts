import { spawn } from "node:child_process";
import { ROOT } from "../root.ts";

export interface ToolResult {
  /** Exit code; null when it could not be started, was killed or ran out of time. */
  code: number | null;
  /** The last 20,000 characters of stdout and stderr, as they came. */
  output: string;
  timedOut: boolean;
}

/**
 * Runs a build or installation tool without a shell in the project's folder, in a process group of its own that
 * is ended after `timeoutMs` or when `signal` aborts.
 */
export async function runTool(
  command: string,
  args: readonly string[],
  options: {
    env?: Record<string, string>;
    timeoutMs: number;
    signal?: AbortSignal | undefined;
    onText?: (text: string) => void;
  },
): Promise<ToolResult> {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  let timedOut = false;
  const collect = (text: string) => {
    output = (output + text).slice(-20_000);
    options.onText?.(text);
  };
  child.stdout.setEncoding("utf8").on("data", collect);
  child.stderr.setEncoding("utf8").on("data", collect);
  const kill = () => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      child.kill("SIGKILL");
    }
  };
  const limit = setTimeout(() => {
    timedOut = true;
    kill();
  }, options.timeoutMs);
  options.signal?.addEventListener("abort", kill, { once: true });
  const code = await new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      collect(error.message);
      resolve(null);
    });
    child.once("close", resolve);
  });
  clearTimeout(limit);
  options.signal?.removeEventListener("abort", kill);
  options.signal?.throwIfAborted();
  return { code, output, timedOut };
}

/** The last lines of an output that say something, for an error's text. */
export function lastLines(output: string, count: number): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-count).join("\n");
}

/** The part of an output that begins with its first mention of an error, at most 20 lines. */
export function firstError(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const from = lines.findIndex((line) => /error|failed|not found/i.test(line));
  return lines.slice(Math.max(from, 0)).slice(0, 20).join("\n");
}
