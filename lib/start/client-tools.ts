import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { complain, say, step } from "../../bin/progress.mjs";
import { lastLines, runTool } from "./run-tool.ts";

const APT_TIMEOUT_MS = 10 * 60_000;

interface Tool {
  program: string;
  /** Debian package. */
  debian: string;
  /** What does not work without it. */
  without: string;
  homebrew: string;
}

const TOOLS: Tool[] = [
  {
    program: "pg_dump",
    debian: "postgresql-client",
    homebrew: "libpq",
    without: "PostgreSQL databases cannot be backed up",
  },
  {
    program: "bwrap",
    debian: "bubblewrap",
    homebrew: "",
    without: "sandboxes are isolated by a database role only",
  },
];

/** Folders with programs of PostgreSQL clients besides PATH: Debian's and Homebrew's, one per major. */
function clientFolders(): string[] {
  const found: string[] = [];
  for (const [base, below] of [
    ["/usr/lib/postgresql", "bin"],
    ["/opt/homebrew/opt", "bin"],
    ["/usr/local/opt", "bin"],
  ] as const) {
    if (!existsSync(base)) continue;
    for (const name of readdirSync(base)) {
      if (/^(\d+|postgresql@\d+|libpq)$/.test(name)) found.push(path.join(base, name, below));
    }
  }
  return found;
}

function isThere(program: string): boolean {
  const folders = [...(process.env.PATH ?? "").split(path.delimiter), ...clientFolders()];
  return folders.some((folder) => folder !== "" && existsSync(path.join(folder, program)));
}

/** The programs of others that are needed here and missing. */
export function missingTools(): Tool[] {
  return TOOLS.filter((tool) => !(tool.program === "bwrap" && process.platform !== "linux")).filter(
    (tool) => !isThere(tool.program),
  );
}

/**
 * Says which client tools are missing. On Debian as root they are installed, after saying so; elsewhere the
 * command is named and the start goes on, because everything else works without them.
 */
export async function ensureClientTools(mayInstall: boolean, signal?: AbortSignal): Promise<void> {
  const missing = missingTools();
  if (missing.length === 0) return;
  const debian = existsSync("/etc/debian_version") && existsSync("/usr/bin/apt-get");
  const packages = missing.map((tool) => tool.debian);
  if (debian && process.getuid?.() === 0 && mayInstall) {
    say(`${names(missing)} missing here; installing ${packages.join(" and ")} with apt-get.`);
    const result = await installPackages(packages, signal);
    if (result === null) return;
    complain(`Installing failed: ${result}`);
  }
  for (const tool of missing) {
    const command = debian
      ? `${process.getuid?.() === 0 ? "" : "sudo "}apt-get install -y ${tool.debian}`
      : process.platform === "darwin"
        ? `brew install ${tool.homebrew}`
        : `install ${tool.program} with your system's package manager (Debian's package: ${tool.debian})`;
    complain(`${tool.program} was not found, so ${tool.without}; to change that: ${command}`);
  }
}

function names(tools: Tool[]): string {
  const list = tools.map((tool) => tool.program).join(" and ");
  return tools.length === 1 ? `${list} is` : `${list} are`;
}

/** Installs Debian packages as root. Returns null, or why it failed. */
async function installPackages(packages: string[], signal?: AbortSignal): Promise<string | null> {
  const options = { env: { DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: APT_TIMEOUT_MS, signal };
  return await step(`apt-get install ${packages.join(" ")}`, async () => {
    await runTool("apt-get", ["update", "-q"], options);
    const args = ["install", "-y", "-q", "--no-install-recommends", ...packages];
    const result = await runTool("apt-get", args, options);
    return result.code === 0 ? null : lastLines(result.output, 2);
  });
}
