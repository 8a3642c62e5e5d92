// Starts a test server and holds it, to be killed by a test.
import { startTestPostgres } from "../../testing/postgres.ts";

const { server, dataDir } = await startTestPostgres();
process.send?.({ pid: server.pid, dataDir });
