import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { HoldfastError } from "../../errors.ts";
import { runCommand } from "../../process/run-command.ts";
import type { Flavour } from "./flavour.ts";
import { flavourOf } from "./flavour.ts";

/** Client programs of one folder. */
export interface ClientTools {
  dump: string;
  client: string;
  /** "10.11.19" */
  version: string;
}

function candidateFolders(flavour: Flavour): string[] {
  const fromPath = (process.env.PATH ?? "").split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const homebrew = ["/opt/homebrew/opt", "/usr/local/opt"].map((at) => path.join(at, flavour.kind, "bin"));
  return [...fromPath, "/usr/bin", "/usr/local/mysql/bin", ...homebrew];
}

/** "10.11.19-MariaDB" from what a program says of itself; MariaDB's also have a version of their own before it. */
export function toolVersion(text: string): string | null {
  return (
    /(?:Distrib|from|Ver) (\d+\.\d+\.\d+)[^,]*/.exec(text.replace(/Ver \S+ Distrib/, "Distrib"))?.[1] ?? null
  );
}

/** Whether version `a` is before `b`, by their first two numbers. */
export function isOlder(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  return (
    (left?.[0] ?? 0) - (right?.[0] ?? 0) < 0 ||
    (left?.[0] === right?.[0] && (left?.[1] ?? 0) < (right?.[1] ?? 0))
  );
}

/**
 * The programs of MariaDB or MySQL on this machine: each flavour's own, which alone know all that its server has.
 * Throws `unavailable` with the command that installs them.
 */
export async function findTools(flavour: Flavour): Promise<ClientTools> {
  for (const folder of candidateFolders(flavour)) {
    const there = (names: string[]) =>
      names.map((name) => path.join(folder, name)).find((file) => existsSync(file));
    const [dump, client] = [there(flavour.programs.dump), there(flavour.programs.client)];
    if (!dump || !client) continue;
    const { stdout } = await runCommand({ program: dump, args: ["--version"], tempDir: tmpdir() });
    const version = toolVersion(stdout);
    if (version !== null && flavourOf(stdout) === flavour) return { dump, client, version };
  }
  throw new HoldfastError(
    "unavailable",
    `No ${flavour.programs.dump[0]} of ${flavour.label} was found on this machine.`,
    {
      remedy: `Install ${flavour.label}'s client programs: apt-get install ${flavour.clientPackage}`,
    },
  );
}
