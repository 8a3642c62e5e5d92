import path from "node:path";
import { makeSandboxFolder } from "../../sandbox/sandbox-folder.ts";
import type { Sandbox, SandboxRequest, WorkContext } from "../engine.ts";
import { PRECAUTIONS, SQLITE_VERSION } from "./open.ts";

/**
 * A private folder for the restored file. There is no server to keep apart: SQLite reads the file in the worker's
 * transfer process, with what it offers against hostile files.
 */
export async function startSqliteSandbox(request: SandboxRequest, work: WorkContext): Promise<Sandbox> {
  const folder = await makeSandboxFolder(path.dirname(work.tempDir), null, "unused");
  const name = path.basename(request.databaseName) || "restored.sqlite";
  return {
    access: { connection: { file: path.join(folder.box, name) } },
    version: SQLITE_VERSION,
    isolation: "none",
    isolationDetail: `no namespaces: SQLite ${SQLITE_VERSION} in the transfer process, which has no access to Holdfast's own data; ${PRECAUTIONS}`,
    notes: [],
    ended: new AbortController().signal,
    stop: () => folder.remove(),
  };
}
