import type { Command } from "commander";
import { asSystem, systemClock } from "../../../lib/context.ts";
import { openDb } from "../../../lib/db/client.ts";
import { createLogger } from "../../../lib/logger.ts";
import { findInstall } from "../../../lib/start/find-install.ts";
import { createToken } from "../../../lib/tokens/create-token.ts";
import type { Cli } from "../cli.ts";
import { CliError, EXIT } from "../exit.ts";
import { print } from "../output.ts";

interface CreateOptions {
  name: string;
  role: string;
  expiresInDays: string;
  environment: string[];
  application: string[];
}

const more = (value: string, given: string[]) => [...given, value];

/** `holdfast token create`: on the host, straight to the database, so that it needs no token itself. */
export function addTokenCommands(program: Command, cli: Cli): void {
  const token = program.command("token").description("API tokens");

  token
    .command("create")
    .description("make an API token; run it on Holdfast's host, where it needs no token")
    .requiredOption("--name <name>", "what it is for")
    .requiredOption("--role <role>", "viewer, operator or admin")
    .option("--environment <environment>", "limit it to this environment; may be repeated", more, [])
    .option("--application <application>", "limit it to this application; may be repeated", more, [])
    .option("--expires-in-days <n>", "days until it ends", "90")
    .action(async (options: CreateOptions) => {
      const days = Number(options.expiresInDays);
      if (!Number.isInteger(days) || days < 1) {
        throw new CliError(EXIT.usage, `--expires-in-days ${options.expiresInDays} is not a number of days.`);
      }
      const db = openDb((await findInstall(process.env)).databaseUrl, {
        max: 1,
        applicationName: "holdfast cli",
      });
      try {
        const ctx = asSystem(
          { db, clock: systemClock, log: createLogger("cli", "error") },
          "cli on the host",
        );
        const made = await createToken(ctx, {
          name: options.name,
          role: options.role as "viewer",
          environments: options.environment,
          applications: options.application,
          expiresInDays: days,
        });
        print(cli.json, made, () => made.token);
      } finally {
        await db.$disconnect();
      }
    });
}
