import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { canReach, EMBEDDED_MAJORS, findNative } from "../../lib/embedded/postgres-server.ts";
import { findClientTools } from "../../lib/engines/postgres/tools.ts";
import { ROOT } from "../../lib/root.ts";
import { findProgram } from "../../lib/sandbox/isolation.ts";
import { findTestServer, MORE_SERVERS } from "../../lib/testing/more-servers.ts";
import type { WorkerOptions } from "../faults/install.ts";

const NOBODY = 65_534;
const PROGRAMS = "/usr/lib/postgresql/15/bin";

/** PostgreSQL majors that are here and that a pg_dump of this machine can dump. */
export async function sourceMajors(): Promise<number[]> {
  const newest = Math.max(0, ...(await findClientTools()).map(({ major }) => major));
  const all = [...Object.keys(MORE_SERVERS).map(Number), ...EMBEDDED_MAJORS].sort((a, b) => a - b);
  return all.filter((major) => major <= newest && findTestServer(major) !== null);
}

/** A machine that a worker may find itself on. */
export interface Machine {
  name: string;
  /** What the proof has to say about its sandbox. */
  isolation: "namespaces" | "role";
  /** The same for SQLite, whose sandbox knows no roles: without a uid to take it has none. */
  ofFiles: "namespaces" | "role" | "none";
  /** Runs as an ordinary user, to whom the install's folders then belong. */
  ordinary: boolean;
  /** Newest PostgreSQL server alone; null: all of them. */
  only: number | null;
}

/** Every way of isolation that this machine can stand for: as root all of them, else those of an ordinary user. */
export function machines(): Machine[] {
  const root = process.getuid?.() === 0;
  const readable = canReach({ uid: NOBODY, gid: NOBODY }, path.join(ROOT, "node_modules"));
  const all: Machine[] = [
    {
      name: "as root with namespaces",
      isolation: "namespaces",
      ofFiles: "namespaces",
      ordinary: false,
      only: null,
    },
    { name: "as root without namespaces", isolation: "role", ofFiles: "role", ordinary: false, only: null },
    {
      name: "as an ordinary user with namespaces",
      isolation: "namespaces",
      ofFiles: "namespaces",
      ordinary: true,
      only: null,
    },
    {
      name: "as an ordinary user without namespaces",
      isolation: "role",
      ofFiles: "none",
      ordinary: true,
      only: null,
    },
    {
      name: "with PostgreSQL 18 alone",
      isolation: "namespaces",
      ofFiles: "namespaces",
      ordinary: !root,
      only: 18,
    },
  ];
  return all.filter(({ ordinary }) => (root ? !ordinary || readable : ordinary));
}

/** How a worker is started on that machine. `folder` is the test's own, for what the machine needs. */
export function workerOn(machine: Machine, folder: string): WorkerOptions {
  const bwrap = findProgram("bwrap") ?? "bwrap";
  const seen = [bwrap, "--die-with-parent", "--dev-bind", "/", "/"];
  const hidden: string[] = [];
  const env: Record<string, string> = {};
  if (machine.isolation === "role") hidden.push("--ro-bind", "/dev/null", bwrap);
  if (machine.only !== null) {
    // The client programs stay, elsewhere; the servers of the other majors are gone.
    env.PATH = `${keepClient(folder)}:${process.env.PATH}`;
    for (const at of [PROGRAMS, ...EMBEDDED_MAJORS.filter((one) => one !== machine.only).map(findNative)]) {
      if (at && existsSync(at)) hidden.push("--tmpfs", at);
    }
  }
  const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
  const drop = machine.ordinary && process.getuid?.() === 0 ? ["setpriv", ...ids] : [];
  return { env, wrapper: [...(hidden.length > 0 ? [...seen, ...hidden] : []), ...drop] };
}

function keepClient(folder: string): string {
  const kept = path.join(folder, "client");
  mkdirSync(kept, { mode: 0o755 });
  for (const name of ["pg_dump", "pg_dumpall", "pg_restore"]) {
    copyFileSync(path.join(PROGRAMS, name), path.join(kept, name));
  }
  return kept;
}

/** The folder and all in it belong to the ordinary user from now on. */
export function giveAway(...folders: string[]): void {
  if (process.getuid?.() === 0) execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, ...folders]);
}
