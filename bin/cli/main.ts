import { readFileSync } from "node:fs";
import path from "node:path";
import { Command, CommanderError } from "commander";
import { ZodError } from "zod";
import { fieldErrors } from "../../lib/api/problem.ts";
import { isHoldfastError, messageOf } from "../../lib/errors.ts";
import type { Cli } from "./cli.ts";
import { createClient } from "./client.ts";
import { addAuditCommands } from "./commands/audit.ts";
import { addBackupCommands } from "./commands/backup.ts";
import { addDatabaseCommands } from "./commands/database.ts";
import { addDestinationCommands } from "./commands/destination.ts";
import { addKeyCommands } from "./commands/keys.ts";
import { addOperationCommands } from "./commands/operation.ts";
import { addPolicyCommands } from "./commands/policy.ts";
import { addTokenCommands } from "./commands/token.ts";
import type { ExitCode } from "./exit.ts";
import { CliError, EXIT } from "./exit.ts";

const EXITS = `
Exit codes: 0 done, 1 the operation failed, 2 bad usage or input, 3 refused,
4 not proven or not intact, 5 timed out, 6 Holdfast cannot be reached.
Environment: HOLDFAST_URL (default http://localhost:3000), HOLDFAST_TOKEN.`;

/** Every command gets --json, wherever it stands on the line. */
function addJsonEverywhere(command: Command): void {
  for (const child of command.commands) addJsonEverywhere(child);
  if (command.commands.length === 0) command.option("--json", "print the API's answer as JSON");
}

function build(cli: Cli): Command {
  const manifest = JSON.parse(readFileSync(path.join(import.meta.dirname, "../../package.json"), "utf8")) as {
    version: string;
  };
  const program = new Command("holdfast")
    .description("Backups that are proven, from the shell.")
    .version(manifest.version);
  program.addHelpText("after", EXITS).showHelpAfterError("(add --help for the options)");
  for (const add of [
    addDatabaseCommands,
    addBackupCommands,
    addDestinationCommands,
    addPolicyCommands,
    addOperationCommands,
    addAuditCommands,
    addTokenCommands,
    addKeyCommands,
  ]) {
    add(program, cli);
  }
  addJsonEverywhere(program);
  const prepare = (command: Command): void => {
    command.exitOverride();
    for (const child of command.commands) prepare(child);
  };
  prepare(program);
  program.hook("preAction", (_, action) => {
    cli.json = action.opts().json === true;
    // Not an option of the command itself: some hand all of theirs to the API, which knows no such field.
    action.setOptionValue("json", undefined);
  });
  return program;
}

function fail(message: string, remedy: string | undefined, code: ExitCode): ExitCode {
  process.stderr.write(`holdfast: ${message}\n${remedy ? `${remedy}\n` : ""}`);
  return code;
}

async function main(argv: string[]): Promise<ExitCode> {
  const cli: Cli = { json: false, exitCode: EXIT.done, client: () => createClient(process.env) };
  try {
    await build(cli).parseAsync(argv);
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CliError) return fail(error.message, error.remedy, error.exitCode);
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof ZodError) {
      const fields = Object.entries(fieldErrors(error)).map(([field, text]) => `${field}: ${text}`);
      return fail(fields.join("\n  "), undefined, EXIT.usage);
    }
    if (isHoldfastError(error)) {
      const refused = error.code === "forbidden" || error.code === "conflict" || error.code === "refused";
      const code = refused ? EXIT.refused : error.code === "unavailable" ? EXIT.unreachable : EXIT.usage;
      return fail(error.message, error.remedy, code);
    }
    return fail(messageOf(error), undefined, EXIT.failed);
  }
}

// A closed pipe (| head) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
process.exitCode = await main(process.argv);
