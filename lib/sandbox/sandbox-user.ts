import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { HoldfastError, messageOf } from "../errors.ts";
import { runCommand } from "../process/run-command.ts";

/** Uid and gid that one sandbox runs as. */
export interface SandboxUser {
  uid: number;
  gid: number;
}

/**
 * Ranges without accounts by convention: high numbers that neither distributions, systemd nor container
 * runtimes hand out, and one below 65536 for containers that map no more.
 */
const RANGES: { first: number; count: number }[] = [
  { first: 2_047_000_000, count: 65_536 },
  { first: 64_100, count: 800 },
];

/** Parses /proc/<pid>/uid_map: whether all of the range exists in this user namespace. */
export function isMapped(map: string, range: { first: number; count: number }): boolean {
  return map.split("\n").some((line) => {
    const [inside, , count] = line.trim().split(/\s+/).map(Number);
    if (inside === undefined || count === undefined) return false;
    return range.first >= inside && range.first + range.count <= inside + count;
  });
}

/** The one account that is made on the machine, and only where there are no namespaces to have a uid in. */
const ACCOUNT = "holdfast-sandbox";

/**
 * Without namespaces and as root: the system user holdfast-sandbox, made if missing, because PostgreSQL wants its
 * uid in the machine's list of accounts. As an ordinary user: null. Throws `unavailable` when it can't be made.
 */
export async function sandboxAccount(): Promise<SandboxUser | null> {
  if (process.getuid?.() !== 0) return null;
  const found = await readAccount();
  if (found) return found;
  const args = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT];
  try {
    await runCommand({ program: "useradd", args, tempDir: tmpdir() });
  } catch (error) {
    // Another worker may have made it at the same moment.
    const made = await readAccount();
    if (made) return made;
    throw new HoldfastError(
      "unavailable",
      `The system user ${ACCOUNT} could not be made: ${messageOf(error)}`,
      {
        remedy: `Run as root: useradd ${args.join(" ")}`,
        cause: error,
      },
    );
  }
  return await readAccount();
}

async function readAccount(): Promise<SandboxUser | null> {
  const accounts = await readFile("/etc/passwd", "utf8").catch(() => "");
  const fields = accounts
    .split("\n")
    .map((line) => line.split(":"))
    .find(([name]) => name === ACCOUNT);
  const [, , uid, gid] = fields ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : null;
}

/**
 * As root: a uid of its own for each sandbox, that owns nothing else on this machine. As an ordinary user: null,
 * the sandbox runs as oneself. Throws `unavailable` when there is no such uid.
 */
export async function newSandboxUser(): Promise<SandboxUser | null> {
  if (process.getuid?.() !== 0) return null;
  const map = await readFile("/proc/self/uid_map", "utf8").catch(() => "0 0 4294967295");
  const accounts = await readFile("/etc/passwd", "utf8").catch(() => "");
  const taken = new Set(accounts.split("\n").map((line) => Number(line.split(":")[2])));
  for (const range of RANGES) {
    if (!isMapped(map, range)) continue;
    for (let tries = 0; tries < 50; tries++) {
      const uid = range.first + randomInt(range.count);
      if (!taken.has(uid)) return { uid, gid: uid };
    }
  }
  throw new HoldfastError("unavailable", "This user namespace maps no free user ids for a sandbox.");
}
