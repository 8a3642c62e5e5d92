// A worker whose sandbox is busy with a database that is never done, to be killed by a test.
import { createReadStream } from "node:fs";
import { probeIsolation, roleIsolation } from "../../../sandbox/isolation.ts";
import { sandboxOf, startSqliteSandbox } from "../sandbox.ts";

const [tempDir = "", mode = "", bomb = ""] = process.argv.slice(2);
const work = {
  signal: new AbortController().signal,
  log: () => undefined,
  progress: () => undefined,
  tempDir,
  applicationName: "holdfast:held",
};
const isolation = mode === "namespaces" ? await probeIsolation() : roleIsolation("the test asks for it");
const sandbox = await startSqliteSandbox({ diskBudgetBytes: 1e9, hidden: [] }, work, { isolation });
void sandboxOf(sandbox.access)?.restore(async () => createReadStream(bomb), work);
process.stdout.write(`${JSON.stringify({ ...sandbox.access.connection, pid: process.pid })}\n`);
setInterval(() => undefined, 60_000);
