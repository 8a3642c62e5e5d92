import type { Command } from "commander";
import type { BackupDto, BackupItem } from "../../../lib/backups/schema.ts";
import type { OperationItem } from "../../../lib/operations/schema.ts";
import type { Page } from "../../../lib/paging.ts";
import type { ComparedTable } from "../../../lib/proof/schema.ts";
import type { Cli } from "../cli.ts";
import type { Client } from "../client.ts";
import { segment } from "../client.ts";
import type { ExitCode } from "../exit.ts";
import { CliError, EXIT } from "../exit.ts";
import { bytes, print, seconds, table } from "../output.ts";
import { deadlineIn, waitForOperation } from "../wait.ts";

interface WaitOptions {
  wait?: boolean;
  timeout: string;
}

/** A backup with the whole table list of its proof: the API pages it. */
async function wholeBackup(client: Client, id: string): Promise<BackupDto> {
  const backup = await client.get<BackupDto>(`/backups/${segment(id)}`);
  if (!backup.proof) return backup;
  const tables: ComparedTable[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<ComparedTable> = await client.get(`/backups/${segment(id)}/tables`, {
      cursor,
      limit: 200,
    });
    tables.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  return { ...backup, proof: { ...backup.proof, tables } };
}

function verdictOf(backup: BackupItem | BackupDto): string {
  if (!backup.proof) return "not proven yet";
  const how = backup.proof.byCount ? " by count" : "";
  return `${backup.proof.verdict}${how}${backup.proof.level ? ` (${backup.proof.level})` : ""}`;
}

function summary(backup: BackupDto): string {
  const lines: [string, string][] = [
    ["Backup", backup.id],
    ["Database", backup.database],
    ["State", [backup.state, backup.reason].filter(Boolean).join(", ")],
    ["Size", `${bytes(backup.sizeBytes)} stored, ${bytes(backup.plainBytes)} dumped`],
    ["Proof", verdictOf(backup)],
  ];
  if (backup.proof) {
    const { tableCounts, reason, restoreSeconds, isolation } = backup.proof;
    lines.push(["", reason]);
    lines.push([
      "Tables",
      `${tableCounts.equal} equal, ${tableCounts.different} different, ${tableCounts.notCompared} not compared`,
    ]);
    lines.push(["Restored in", `${seconds(restoreSeconds)}${isolation ? `, isolated by ${isolation}` : ""}`]);
  }
  if (backup.policy) lines.push(["Policy", backup.policy]);
  if (backup.pin) lines.push(["Pinned", `by ${backup.pin.by}: ${backup.pin.reason}`]);
  if (backup.removal) {
    const { removedAt, reason } = backup.removal;
    lines.push([removedAt ? "Deleted" : "Is deleted", `${removedAt ?? "not everywhere yet"}. ${reason}`]);
  }
  for (const copy of backup.copies) lines.push(["Copy", `${copy.destination}: ${copy.state}, ${copy.path}`]);
  return lines.map(([label, value]) => `${label.padEnd(13)}${value}`).join("\n");
}

function exitOf(backup: BackupDto, verified: boolean): ExitCode {
  if (backup.state !== "complete" && backup.state !== "partial") return EXIT.failed;
  if (!verified) return EXIT.done;
  return backup.proof?.verdict === "proven" ? EXIT.done : EXIT.notProven;
}

const waitable = (command: Command): Command =>
  command
    .option("--wait", "wait for the end and show the result")
    .option("--timeout <duration>", "longest wait: 90s, 10m, 2h", "30m");

/** `holdfast backup run|list|show|verify|copy|pin|unpin|delete|restore`. */
export function addBackupCommands(program: Command, cli: Cli): void {
  const backup = program.command("backup").description("backups, their proofs and restores");

  waitable(backup.command("run <database>"))
    .description("back a database up, and prove it; exit 4 when it is not proven")
    .option("--no-verify", "do not prove it afterwards")
    .action(async (database: string, options: WaitOptions & { verify: boolean }) => {
      const client = cli.client();
      const deadline = deadlineIn(options.timeout);
      const started = await client.post<BackupItem>("/backups", { database, verify: options.verify });
      if (!options.wait) {
        print(cli.json, started, () => `${started.id}  ${started.state}`);
        return;
      }
      await waitForOperation(client, started.operationId, deadline);
      const { verification } = await client.get<BackupDto>(`/backups/${segment(started.id)}`);
      if (options.verify && verification) await waitForOperation(client, verification.operationId, deadline);
      const finished = await wholeBackup(client, started.id);
      print(cli.json, finished, summary);
      cli.exitCode = exitOf(finished, options.verify);
    });

  backup
    .command("list")
    .description("backups, newest first")
    .option("--database <name>")
    .option("--environment <name>")
    .option("--state <state>", "running, complete, partial, failed, cancelled, interrupted")
    .option("--verdict <verdict>", "proven, failed, unverifiable, none")
    .option("--policy <name>", "made by this policy")
    .option("--removed <which>", "no, yes, all: those whose objects were deleted", "no")
    .option("--limit <n>", "items per page", "50")
    .option("--cursor <cursor>", "next page")
    .action(async (options: Record<string, string>) => {
      const page = await cli.client().get<Page<BackupItem>>("/backups", options);
      print(cli.json, page, ({ items, nextCursor }) => {
        const rows = items.map((item) => [
          item.id,
          item.database,
          item.createdAt,
          item.state,
          bytes(item.sizeBytes),
          verdictOf(item),
        ]);
        const more = nextCursor ? `\nMore: --cursor ${nextCursor}` : "";
        return table(["id", "database", "created", "state", "size", "proof"], rows) + more;
      });
    });

  backup
    .command("show <id>")
    .description("one backup with its proof, table by table")
    .action(async (id: string) => {
      print(cli.json, await wholeBackup(cli.client(), id), summary);
    });

  waitable(backup.command("verify <id>"))
    .description("prove a backup again; exit 4 when it is not proven")
    .option("--destination <name>", "verify this copy")
    .action(async (id: string, options: WaitOptions & { destination?: string }) => {
      const client = cli.client();
      const deadline = deadlineIn(options.timeout);
      const { destination } = options;
      const started = await client.post<OperationItem>(
        `/backups/${segment(id)}/verify`,
        destination ? { destination } : {},
      );
      if (!options.wait) {
        print(cli.json, started, () => `${started.id}  ${started.state}`);
        return;
      }
      const operation = await waitForOperation(client, started.id, deadline);
      const finished = await wholeBackup(client, id);
      print(cli.json, finished, summary);
      // A proof that could not run leaves the older verdict standing; this run's own one is what was asked for.
      const verdict = operation.result?.verdict;
      const unproven = verdict === undefined ? EXIT.failed : EXIT.notProven;
      cli.exitCode = operation.state === "succeeded" ? EXIT.done : unproven;
    });

  waitable(backup.command("copy <id>"))
    .description(
      "make the copies that a backup lacks, from one that is good; exit 1 when one could not be made",
    )
    .option("--destination <name>", "make this copy; there may be none yet")
    .action(async (id: string, options: WaitOptions & { destination?: string }) => {
      const client = cli.client();
      const deadline = deadlineIn(options.timeout);
      const { destination } = options;
      const started = await client.post<OperationItem>(
        `/backups/${segment(id)}/copies`,
        destination ? { destination } : {},
      );
      if (!options.wait) {
        print(cli.json, started, () => `${started.id}  ${started.state}`);
        return;
      }
      const operation = await waitForOperation(client, started.id, deadline);
      print(cli.json, await wholeBackup(client, id), summary);
      cli.exitCode = operation.state === "succeeded" ? EXIT.done : EXIT.failed;
    });

  backup
    .command("pin <id>")
    .description("hold a backup: nothing deletes it until it is unpinned")
    .requiredOption("--reason <text>", "why it is kept")
    .action(async (id: string, { reason }: { reason: string }) => {
      const pinned = await cli.client().post<BackupDto>(`/backups/${segment(id)}/pin`, { reason });
      print(cli.json, pinned, summary);
    });

  backup
    .command("unpin <id>")
    .description("let the retention decide about it again")
    .action(async (id: string) => {
      print(cli.json, await cli.client().post<BackupDto>(`/backups/${segment(id)}/unpin`), summary);
    });

  waitable(backup.command("delete <id>"))
    .description(
      "delete its objects at every destination; exit 1 when one keeps them, 3 for the last good backup",
    )
    .action(async (id: string, options: WaitOptions) => {
      const client = cli.client();
      const deadline = deadlineIn(options.timeout);
      const started = await client.post<OperationItem>(`/backups/${segment(id)}/delete`);
      if (!options.wait) {
        print(cli.json, started, () => `${started.id}  ${started.state}`);
        return;
      }
      const operation = await waitForOperation(client, started.id, deadline);
      print(cli.json, await client.get<BackupDto>(`/backups/${segment(id)}`), summary);
      if (operation.state !== "succeeded") cli.exitCode = EXIT.failed;
    });

  waitable(backup.command("restore <id>"))
    .description("restore a backup; exit 4 when what was restored differs")
    .option("--to-new-database <name>", "make this database and restore into it")
    .option("--on <database>", "registered database whose server gets the new one")
    .option("--over <database>", "replace this registered database")
    .option("--confirm <name>", "the replaced database's name, again")
    .option("--end-sessions", "end other sessions on the replaced database", false)
    .option("--jobs <n>", "parallel jobs", "2")
    .action(async (id: string, options: WaitOptions & Record<string, string | boolean | undefined>) => {
      const client = cli.client();
      const deadline = deadlineIn(options.timeout);
      const started = await client.post<OperationItem>(`/backups/${segment(id)}/restore`, {
        target: restoreTarget(options),
        jobs: Number(options.jobs),
      });
      if (!options.wait) {
        print(cli.json, started, () => `${started.id}  ${started.state}`);
        return;
      }
      const operation = await waitForOperation(client, started.id, deadline);
      print(cli.json, operation, () => operation.reason ?? operation.state);
      if (operation.state !== "succeeded") {
        cli.exitCode = operation.result?.equal === false ? EXIT.notProven : EXIT.failed;
      }
    });
}

function restoreTarget(options: Record<string, string | boolean | undefined>): Record<string, unknown> {
  const { toNewDatabase, on, over, confirm, endSessions } = options;
  if (toNewDatabase && on && !over) return { kind: "new", name: toNewDatabase, on };
  if (over && confirm !== undefined && !toNewDatabase)
    return { kind: "over", database: over, confirm, endSessions };
  throw new CliError(
    EXIT.usage,
    "Say where to restore to.",
    "Either --to-new-database NAME --on DATABASE, or --over DATABASE --confirm DATABASE.",
  );
}
