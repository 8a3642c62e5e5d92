import { startPostgresSandbox } from "../../engines/postgres/sandbox.ts";
import { probeIsolation, roleIsolation } from "../isolation.ts";

/** A worker that starts a sandbox, says so, and never ends it: it is there to be killed. */
const [tempDir = "", mode = "namespaces"] = process.argv.slice(2);
const sandbox = await startPostgresSandbox(
  {
    serverVersion: "15.0",
    databaseName: "held",
    encoding: "UTF8",
    collation: "C",
    extensions: [],
    diskBudgetBytes: 1e9,
    hidden: [],
  },
  {
    signal: new AbortController().signal,
    log: () => undefined,
    progress: () => undefined,
    tempDir,
    applicationName: "holdfast:held",
  },
  mode === "role" ? roleIsolation("the test asks for it") : await probeIsolation(),
);
process.stdout.write(`${JSON.stringify({ ...sandbox.access.connection, pid: process.pid })}\n`);
setInterval(() => undefined, 60_000);
