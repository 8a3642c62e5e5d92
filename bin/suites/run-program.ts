import { spawn } from "node:child_process";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../..");

const running = new Set<number>();

/**
 * Runs a program of node_modules on this Node in the project's folder, its output going to the console, in a
 * process group of its own. Returns its exit code, null when it was killed.
 */
export async function runProgram(
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<number | null> {
  const child = spawn(process.execPath, [path.join(ROOT, "node_modules", script), ...args], {
    cwd: ROOT,
    // Our own stdin is the parent's pipe; a suite gets none.
    env: { ...process.env, HOLDFAST_SUPERVISED: "", ...env },
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  const code = await new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("exit", resolve);
  });
  if (pid !== undefined) running.delete(pid);
  return code;
}

/** Ends what is still running, with everything it started in its group. */
export function endRunning(): void {
  for (const pid of running) {
    try {
      process.kill(-pid, "SIGTERM");
    } catch {
      // It ended by itself just now.
    }
  }
}
