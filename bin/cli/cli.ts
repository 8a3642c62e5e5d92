import type { Client } from "./client.ts";
import type { ExitCode } from "./exit.ts";

/** What every command gets. */
export interface Cli {
  json: boolean;
  exitCode: ExitCode;
  /** Made on first use, so that host-only commands need no token. */
  client(): Client;
}
