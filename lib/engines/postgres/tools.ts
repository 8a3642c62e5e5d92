import { existsSync, readdirSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { HoldfastError } from "../../errors.ts";
import { runCommand } from "../../process/run-command.ts";

/** PostgreSQL's client programs of one major, found in one folder. */
export interface ClientTools {
  major: number;
  /** "15.18" */
  version: string;
  pgDump: string;
  pgDumpall: string;
  pgRestore: string;
}

const PROGRAMS = ["pg_dump", "pg_dumpall", "pg_restore"] as const;

/** The newest major in Debian 12's own archive; later ones come from PostgreSQL's. */
const DEBIAN_MAJOR = 15;

function versionedFolders(parent: string, pattern: RegExp, bin: string): string[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .filter((name) => pattern.test(name))
    .map((name) => path.join(parent, name, bin));
}

function candidateFolders(): string[] {
  const fromPath = (process.env.PATH ?? "").split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return [
    ...versionedFolders("/usr/lib/postgresql", /^\d+$/, "bin"),
    ...versionedFolders("/usr", /^pgsql-\d+$/, "bin"),
    ...versionedFolders("/opt/homebrew/opt", /^(postgresql(@\d+)?|libpq(@\d+)?)$/, "bin"),
    ...versionedFolders("/usr/local/opt", /^(postgresql(@\d+)?|libpq(@\d+)?)$/, "bin"),
    ...fromPath,
  ];
}

/** Debian's /usr/bin/pg_dump is a script that picks a version by itself. */
function isWrapper(program: string): boolean {
  return path.basename(realpathSync(program)) === "pg_wrapper";
}

/** All client tools on this machine, one per folder, the newest minor of a major first. */
export async function findClientTools(folders: string[] = candidateFolders()): Promise<ClientTools[]> {
  const found = new Map<string, ClientTools>();
  for (const folder of folders) {
    const [pgDump = "", pgDumpall = "", pgRestore = ""] = PROGRAMS.map((name) => path.join(folder, name));
    if (![pgDump, pgDumpall, pgRestore].every((program) => existsSync(program)) || isWrapper(pgDump))
      continue;
    const real = realpathSync(pgDump);
    if (found.has(real)) continue;
    const { stdout } = await runCommand({ program: pgDump, args: ["--version"], tempDir: tmpdir() });
    const version = /(\d+(?:\.\d+)*)/.exec(stdout)?.[1];
    if (!version) continue;
    found.set(real, { major: Number.parseInt(version, 10), version, pgDump, pgDumpall, pgRestore });
  }
  return [...found.values()].sort((a, b) => compareVersions(b.version, a.version));
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)];
  return (left[0] ?? 0) - (right[0] ?? 0) || (left[1] ?? 0) - (right[1] ?? 0);
}

/** The command that installs the client tools of a major on Debian and Ubuntu. */
export function installHint(major: number): string {
  const install = `apt-get install postgresql-client-${major}`;
  if (major === DEBIAN_MAJOR) return install;
  return `${install} (from PostgreSQL's own archive: apt-get install postgresql-common && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh)`;
}

/**
 * Tools that can dump a server: its own major, else the nearest above, because pg_dump refuses servers newer
 * than itself. Throws `unavailable` with the command that installs them.
 */
export function chooseTools(found: readonly ClientTools[], serverMajor: number): ClientTools {
  const usable = found.filter((tools) => tools.major >= serverMajor).sort((a, b) => a.major - b.major);
  const [best] = usable;
  if (best) return best;
  const newest = Math.max(...found.map((tools) => tools.major));
  const why =
    found.length === 0
      ? "No pg_dump was found on this machine."
      : `The server is PostgreSQL ${serverMajor}, and the newest pg_dump on this machine is ${newest}, which refuses newer servers.`;
  throw new HoldfastError("unavailable", why, {
    remedy: `Install the client tools of PostgreSQL ${serverMajor} (package postgresql-client-${serverMajor}): ${installHint(serverMajor)}`,
  });
}

/**
 * Tools that can restore a dump made by `dumpMajor` into a server: the server's own major if that is not
 * older than the dump's, else the nearest to the dump's. pg_restore can't read archives of later majors.
 */
export function chooseRestoreTools(
  found: readonly ClientTools[],
  dumpMajor: number,
  serverMajor: number,
): ClientTools {
  return chooseTools(
    found,
    Math.max(dumpMajor, found.some((t) => t.major === serverMajor) ? serverMajor : 0),
  );
}
