import type { Readable } from "node:stream";
import { HoldfastError, isHoldfastError } from "../../errors.ts";
import type { HostIsolation } from "../../sandbox/isolation.ts";
import { probeIsolation, roleIsolation } from "../../sandbox/isolation.ts";
import type { Access, Sandbox, WorkContext } from "../engine.ts";
import { PRECAUTIONS } from "./open.ts";
import type { SandboxClient } from "./sandbox-client.ts";
import type { FileRequest, SandboxOptions, Started, Way } from "./sandbox-start.ts";
import { start } from "./sandbox-start.ts";

/** Those of this process, by the name that their access has. */
const clients = new Map<string, SandboxClient>();

/** The sandbox that an access leads to; null for an ordinary file. Throws `unavailable` when it is gone. */
export function sandboxOf(access: Access): SandboxClient | null {
  const { sandbox } = access.connection;
  if (sandbox === undefined) return null;
  const client = clients.get(String(sandbox));
  if (client) return client;
  throw new HoldfastError("unavailable", "The sandbox of the SQLite file is gone.");
}

/**
 * Starts a program that writes down, opens and reads a dump in the worker's place, with nothing else in its reach.
 * Of namespaces, a uid of its own and a plain process the first that works here is taken, and recorded. Throws
 * `unavailable` when none does.
 */
export async function startSqliteSandbox(
  request: FileRequest,
  work: WorkContext,
  options: SandboxOptions = {},
): Promise<Sandbox> {
  const host = options.isolation ?? (await probeIsolation());
  const missing = host.because === null ? [] : [`no namespaces (${host.because})`];
  let refusal: HoldfastError | null = null;
  for (const way of waysOf(host)) {
    try {
      const started = await start(way, request, work, options);
      const lacks = missing.length === 0 ? "" : `${missing.join(", ")}: `;
      const detail = `${lacks}${way.detail}; SQLite ${started.version}, ${PRECAUTIONS}`;
      if (lacks) work.log(`Sandbox: ${detail}. ${host.remedy ?? ""}`.trimEnd(), "warn");
      return asSandbox(started, way, detail);
    } catch (error) {
      work.signal.throwIfAborted();
      if (!isHoldfastError(error) || error.code !== "unavailable") throw error;
      refusal = error;
      missing.push(`no ${way.level === "namespaces" ? "namespaces" : "uid of its own"} (${error.message})`);
    }
  }
  throw refusal ?? new Error("there is no way to start a sandbox");
}

/** Reads a plain dump to its end, in a sandbox: header, every page, integrity. Throws `invalid` with what is wrong. */
export async function readThroughSqlite(
  dump: Readable,
  work: WorkContext,
  hidden: readonly string[],
): Promise<void> {
  try {
    const request = { diskBudgetBytes: Number.MAX_SAFE_INTEGER, hidden: [...hidden] };
    const sandbox = await startSqliteSandbox(request, work);
    try {
      await sandboxOf(sandbox.access)?.restore(async () => dump, work);
    } finally {
      await sandbox.stop();
    }
  } finally {
    dump.destroy();
  }
}

/** From the strongest on. Without namespaces it is a plain process, under a uid of its own where that can be. */
function waysOf(host: HostIsolation): Way[] {
  const root = process.getuid?.() === 0;
  const method = host.method.mode === "role" ? host.method : roleIsolation("").method;
  const limits = method.tools.prlimit ? "limits on memory, files, disk and time" : "limits on disk and time";
  const plain = (level: Way["level"], uid: string): Way => ({
    level,
    method,
    ownUser: level === "role",
    detail: `a process with ${uid}, ${method.tools.setpriv ? "no new privileges, " : ""}${limits}`,
  });
  return [
    ...(host.method.mode === "namespaces"
      ? [{ level: "namespaces", method: host.method, ownUser: root, detail: host.detail } as const]
      : []),
    ...(root ? [plain("role", "a uid of its own")] : []),
    plain("none", "the worker's own uid"),
  ];
}

function asSandbox({ id, version, client, life }: Started, way: Way, isolationDetail: string): Sandbox {
  clients.set(id, client);
  return {
    access: { connection: { sandbox: id } },
    version,
    isolation: way.level,
    isolationDetail,
    notes: [],
    ended: life.ended,
    async stop() {
      clients.delete(id);
      await life.stop();
    },
  };
}
