import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import type { LogLine, OperationDto, OperationItem } from "../../../lib/operations/schema.ts";
import { finalStates } from "../../../lib/operations/schema.ts";
import type { Page } from "../../../lib/paging.ts";
import type { Cli } from "../cli.ts";
import type { Client } from "../client.ts";
import { segment } from "../client.ts";
import { EXIT } from "../exit.ts";
import { print, table } from "../output.ts";
import { deadlineIn, waitForOperation } from "../wait.ts";

const FOLLOW_MS = 500;

function summary(operation: OperationDto): string {
  const head = `${operation.title}: ${operation.state}${operation.reason ? `, ${operation.reason}` : ""}`;
  const steps = operation.steps.map(
    (step) => `  ${step.state.padEnd(11)} ${step.name}${step.detail ? `: ${step.detail}` : ""}`,
  );
  return [head, ...steps].join("\n");
}

function logText(line: LogLine): string {
  return `${line.at} ${line.level.padEnd(5)} ${line.step ? `[${line.step}] ` : ""}${line.line}`;
}

/** Prints lines after `after` and returns the last id. */
async function printLog(
  client: Client,
  id: string,
  after: string | undefined,
  json: boolean,
): Promise<string | undefined> {
  let last = after;
  for (;;) {
    const page: Page<LogLine> = await client.get(`/operations/${segment(id)}/log`, {
      after: last,
      limit: 1000,
    });
    for (const line of page.items) process.stdout.write(`${json ? JSON.stringify(line) : logText(line)}\n`);
    last = page.items.at(-1)?.id ?? last;
    if (page.items.length < 1000) return last;
  }
}

/** `holdfast operation list|show|log|cancel`. */
export function addOperationCommands(program: Command, cli: Cli): void {
  const operation = program.command("operation").description("the ledger of all work");

  operation
    .command("list")
    .description("operations, newest first")
    .option("--state <state>", "a state, or active, or final")
    .option("--kind <kind>")
    .option("--database <name>")
    .option("--limit <n>", "items per page", "50")
    .option("--cursor <cursor>", "next page")
    .action(async (options: Record<string, string>) => {
      const page = await cli.client().get<Page<OperationItem>>("/operations", options);
      print(cli.json, page, ({ items, nextCursor }) => {
        const rows = items.map((item) => [
          item.id,
          item.title,
          item.state,
          item.createdAt,
          item.reason ?? "",
        ]);
        return (
          table(["id", "operation", "state", "created", "reason"], rows) +
          (nextCursor ? `\nMore: --cursor ${nextCursor}` : "")
        );
      });
    });

  operation
    .command("show <id>")
    .description("one operation with its steps")
    .action(async (id: string) => {
      print(cli.json, await cli.client().get<OperationDto>(`/operations/${segment(id)}`), summary);
    });

  operation
    .command("log <id>")
    .description("its log; with --json one object per line")
    .option("--follow", "go on until it ends", false)
    .action(async (id: string, options: { follow: boolean }) => {
      const client = cli.client();
      let last = await printLog(client, id, undefined, cli.json);
      while (options.follow) {
        const { state } = await client.get<OperationDto>(`/operations/${segment(id)}`);
        last = await printLog(client, id, last, cli.json);
        if (finalStates.includes(state)) return;
        await delay(FOLLOW_MS);
      }
    });

  operation
    .command("cancel <id>")
    .description("ask for its end; --wait for it")
    .option("--wait", "wait for the end", false)
    .option("--timeout <duration>", "longest wait", "2m")
    .action(async (id: string, options: { wait: boolean; timeout: string }) => {
      const client = cli.client();
      const deadline = deadlineIn(options.timeout);
      const asked = await client.post<OperationItem>(`/operations/${segment(id)}/cancel`);
      if (!options.wait) {
        print(cli.json, asked, () => `${asked.title}: ${asked.state}`);
        return;
      }
      const ended = await waitForOperation(client, id, deadline);
      print(cli.json, ended, summary);
      if (ended.state !== "cancelled") cli.exitCode = EXIT.failed;
    });
}
