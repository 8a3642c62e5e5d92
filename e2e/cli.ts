import { execFile } from "node:child_process";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..");

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs ./bin/holdfast as people do; never throws for an exit code. */
export async function holdfast(args: string[], env: Record<string, string> = {}): Promise<CliResult> {
  return await new Promise((resolve) => {
    execFile(
      path.join(ROOT, "bin/holdfast"),
      args,
      { cwd: ROOT, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = typeof error?.code === "number" ? error.code : error ? 1 : 0;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/** Environment of the CLI for the install under test, with a fresh token of that role. */
export async function cliEnv(role: "viewer" | "operator" | "admin"): Promise<Record<string, string>> {
  const base = {
    HOLDFAST_URL: process.env.HOLDFAST_E2E_URL ?? "",
    HOLDFAST_DATA: process.env.HOLDFAST_E2E_DATA ?? "",
  };
  const made = await holdfast(["token", "create", "--name", `e2e ${role}`, "--role", role], base);
  if (made.code !== 0) throw new Error(`No token: ${made.stderr}`);
  return { ...base, HOLDFAST_TOKEN: made.stdout.trim() };
}
