import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import type { AuditVerification } from "../../../lib/audit/schema.ts";
import type { Cli } from "../cli.ts";
import { EXIT } from "../exit.ts";
import { print } from "../output.ts";

function summary(result: AuditVerification): string {
  if (result.intact) {
    const waiting = result.unchained > 0 ? `, ${result.unchained} newer not linked yet` : "";
    return `The audit log is intact: ${result.checked} events checked${waiting}.`;
  }
  const breaks = result.breaks.map((entry) => `  ${entry.seq}  ${entry.eventId}  ${entry.detail}`);
  return [`The audit log is broken in ${result.breaks.length} places.`, ...breaks].join("\n");
}

/** `holdfast audit export|verify`. */
export function addAuditCommands(program: Command, cli: Cli): void {
  const audit = program.command("audit").description("who did what, when, from where");

  audit
    .command("export")
    .description("write events to standard output")
    .option("--format <format>", "jsonl or csv", "jsonl")
    .option("--actor <name>")
    .option("--action <action>")
    .option("--object <object>", "its name or id")
    .option("--from <time>", "ISO 8601 with offset")
    .option("--to <time>", "ISO 8601 with offset")
    .action(async (options: Record<string, string>) => {
      const answer = await cli.client().stream("/audit/export", options);
      if (answer.body) await pipeline(Readable.fromWeb(answer.body as never), process.stdout, { end: false });
    });

  audit
    .command("verify")
    .description("check the chain of all events; exit 4 on a break")
    .action(async () => {
      const result = await cli.client().post<AuditVerification>("/audit/verify");
      print(cli.json, result, summary);
      if (!result.intact) cli.exitCode = EXIT.notProven;
    });
}
