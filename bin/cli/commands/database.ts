import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { ConnectionTest, DatabaseDto, DatabaseItem, Finding } from "../../../lib/databases/schema.ts";
import type { OperationItem } from "../../../lib/operations/schema.ts";
import type { Page } from "../../../lib/paging.ts";
import type { Cli } from "../cli.ts";
import { segment } from "../client.ts";
import { CliError, EXIT } from "../exit.ts";
import { bytes, print, table } from "../output.ts";
import { deadlineIn, waitForOperation } from "../wait.ts";

interface AddOptions {
  name: string;
  engine: string;
  environment: string;
  url?: string;
  urlEnv?: string;
  urlFile?: string;
  application?: string;
  pool?: string;
  owner?: string;
  note?: string;
  tag?: string[];
}

/** The URL from exactly one of --url, --url-env, --url-file ("-" is standard input). */
function readUrl(options: AddOptions): string {
  const given = [options.url, options.urlEnv, options.urlFile].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new CliError(EXIT.usage, "Give the database's URL by exactly one of --url, --url-env, --url-file.");
  }
  if (options.url !== undefined) return options.url;
  if (options.urlEnv !== undefined) {
    const value = process.env[options.urlEnv];
    if (value) return value;
    throw new CliError(
      EXIT.usage,
      `The variable ${options.urlEnv} is not set.`,
      `Run: export ${options.urlEnv}=…`,
    );
  }
  try {
    return readFileSync(options.urlFile === "-" ? 0 : (options.urlFile ?? ""), "utf8").trim();
  } catch {
    throw new CliError(EXIT.usage, `${options.urlFile} cannot be read.`);
  }
}

function summary(database: DatabaseDto): string {
  const lines: [string, string][] = [
    ["Name", database.name],
    ["Engine", `${database.engine} ${database.serverVersion ?? ""}`.trim()],
    ["Environment", `${database.environment}${database.protected ? " (protected)" : ""}`],
    ["Application", database.application],
    ["Pool", database.pool],
    ["Size", bytes(database.sizeBytes)],
    ["Copies", copiesWords(database.copies)],
    ["Recoverable", [database.recoverable.text, database.recoverable.detail].filter(Boolean).join(" · ")],
  ];
  return lines.map(([label, value]) => `${label.padEnd(13)}${value}`).join("\n");
}

/** Where the newest proven backup lies, by the 3-2-1 rule. */
function copiesWords(copies: DatabaseDto["copies"]): string {
  if (!copies) return "-";
  const rule = copies.lacks.length === 0 ? "3-2-1 holds" : `3-2-1 lacks ${copies.lacks.join(", ")}`;
  return `${copies.stored} stored, ${copies.offHost ? "one off this host" : "all on this host"}; ${rule}`;
}

function findings(list: Finding[]): string {
  return list
    .map((finding) => {
      const lines = [`${finding.state.padEnd(8)} ${finding.title}: ${finding.detail}`];
      if (finding.state !== "ok") lines.push(`         ${finding.why}`);
      if (finding.sql) lines.push(...finding.sql.split("\n").map((line) => `         ${line}`));
      return lines.join("\n");
    })
    .join("\n");
}

/** `holdfast database add|list|show|test|preflight`. */
export function addDatabaseCommands(program: Command, cli: Cli): void {
  const database = program.command("database").description("the databases that Holdfast looks after");

  database
    .command("add")
    .description("register a database")
    .requiredOption("--name <name>", "unique name: lower-case letters, digits, hyphens")
    .requiredOption("--engine <engine>", "postgres, mariadb, mysql or sqlite")
    .requiredOption("--environment <name>", "environment that it belongs to")
    .option(
      "--url <url>",
      "postgresql://, mariadb:// or mysql://user:password@host/database, or sqlite:///folder/file",
    )
    .option(
      "--url-env <variable>",
      "take the URL from this variable, so that it is not in the shell's history",
    )
    .option("--url-file <file>", 'take the URL from this file; "-" is standard input')
    .option("--application <name>", "default: the name without its -<environment> ending")
    .option("--pool <name>", "pool of workers that is near it")
    .option("--owner <name>", "who is responsible for it")
    .option("--note <text>", "anything worth knowing")
    .option("--tag <tag...>", "tags")
    .action(async (options: AddOptions) => {
      const { name, engine, environment, application, pool, owner, note, tag } = options;
      // By name: commander also puts options of the program, such as --json, into `options`.
      const body = {
        name,
        engine,
        environment,
        application,
        pool,
        owner,
        note,
        tags: tag,
        url: readUrl(options),
      };
      print(cli.json, await cli.client().post<DatabaseDto>("/databases", body), summary);
    });

  database
    .command("list")
    .description("all registered databases")
    .option("--environment <name>")
    .option("--limit <n>", "items per page", "200")
    .option("--cursor <cursor>", "next page")
    .action(async (options: Record<string, string>) => {
      const page = await cli.client().get<Page<DatabaseItem>>("/databases", options);
      print(cli.json, page, ({ items }) =>
        table(
          ["name", "engine", "environment", "size", "recoverable"],
          items.map((item) => [
            item.name,
            item.engine,
            item.environment,
            bytes(item.sizeBytes),
            item.recoverable.text,
          ]),
        ),
      );
    });

  database
    .command("show <name>")
    .description("one database")
    .action(async (name: string) => {
      print(cli.json, await cli.client().get<DatabaseDto>(`/databases/${segment(name)}`), summary);
    });

  database
    .command("test <name>")
    .description("connect to it once; exit 1 when that fails")
    .action(async (name: string) => {
      const client = cli.client();
      const { engine, pool } = await client.get<DatabaseDto>(`/databases/${segment(name)}`);
      const result = await client.post<ConnectionTest>("/connection-tests", { engine, pool, database: name });
      print(cli.json, result, () => [result.message, result.remedy].filter(Boolean).join("\n"));
      if (!result.ok) cli.exitCode = EXIT.failed;
    });

  database
    .command("preflight <name>")
    .description("list everything missing or risky; exit 4 when there is a problem")
    .option("--timeout <duration>", "longest wait", "2m")
    .action(async (name: string, options: { timeout: string }) => {
      const client = cli.client();
      const deadline = deadlineIn(options.timeout);
      const started = await client.post<OperationItem>(`/databases/${segment(name)}/preflight`);
      const operation = await waitForOperation(client, started.id, deadline);
      if (operation.state !== "succeeded") {
        throw new CliError(EXIT.failed, operation.reason ?? `The preflight ${operation.state}.`);
      }
      const { preflight } = await client.get<DatabaseDto>(`/databases/${segment(name)}`);
      print(cli.json, preflight, () => findings(preflight?.findings ?? []));
      if (preflight?.findings.some((finding) => finding.state === "problem")) cli.exitCode = EXIT.notProven;
    });
}
