import { findClientTools } from "../engines/postgres/tools.ts";
import { findServers } from "../sandbox/binaries.ts";
import { probeIsolation } from "../sandbox/isolation.ts";
import type { WorkerRow } from "./worker-row.ts";

/** What this machine can do for operations: client tools, sandbox servers, how well it isolates them. */
export async function findAbilities(): Promise<WorkerRow["abilities"]> {
  const [clients, isolation] = await Promise.all([findClientTools(), probeIsolation()]);
  const tools: Record<string, string> = {};
  for (const { major, version } of clients) tools[`pg_dump ${major}`] ??= version;
  if (process.versions.sqlite) tools.sqlite = process.versions.sqlite;
  tools.node = process.versions.node;
  const sandboxes = findServers().map(({ major, source }) => `PostgreSQL ${major} (${source})`);
  return {
    tools,
    sandboxes,
    isolation: isolation.method.mode,
    isolationDetail: isolation.remedy ? `${isolation.detail}. ${isolation.remedy}` : isolation.detail,
  };
}
