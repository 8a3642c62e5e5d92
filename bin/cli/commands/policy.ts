import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import type { Page } from "../../../lib/paging.ts";
import type { PolicyDto, PolicyRunDto, Simulation } from "../../../lib/policies/schema.ts";
import type { Cli } from "../cli.ts";
import type { Client } from "../client.ts";
import { segment } from "../client.ts";
import type { ExitCode } from "../exit.ts";
import { CliError, EXIT } from "../exit.ts";
import { bytes, print, table } from "../output.ts";
import { scheduleOf, verificationOf } from "../policy-options.ts";
import { deadlineIn } from "../wait.ts";

const POLL_MS = 500;

interface CreateOptions {
  name: string;
  databases?: string;
  pattern?: string[];
  destination: string[];
  cron?: string;
  every?: string;
  daily?: string;
  weekly?: string;
  monthly?: string;
  zone: string;
  jitter: string;
  missed: string;
  keepLast: string;
  keepHourly: string;
  keepDaily: string;
  keepWeekly: string;
  keepMonthly: string;
  keepYearly: string;
  keepProven: string;
  verify: string;
}

function count(text: string, option: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new CliError(EXIT.usage, `${option} ${text} is not a number.`);
}

function bodyOf(options: CreateOptions): Record<string, unknown> {
  return {
    name: options.name,
    databases: (options.databases ?? "").split(",").flatMap((name) => name.trim() || []),
    patterns: options.pattern ?? [],
    destinations: options.destination,
    schedule: scheduleOf(options),
    zone: options.zone,
    jitterSeconds: count(options.jitter, "--jitter"),
    missed: options.missed === "catch-up" ? "catch_up" : options.missed,
    retention: {
      last: count(options.keepLast, "--keep-last"),
      hourly: count(options.keepHourly, "--keep-hourly"),
      daily: count(options.keepDaily, "--keep-daily"),
      weekly: count(options.keepWeekly, "--keep-weekly"),
      monthly: count(options.keepMonthly, "--keep-monthly"),
      yearly: count(options.keepYearly, "--keep-yearly"),
      proven: count(options.keepProven, "--keep-proven"),
    },
    verification: verificationOf(options.verify),
  };
}

function summary(policy: PolicyDto): string {
  const state = policy.archivedAt ? "archived" : policy.pausedAt ? `paused by ${policy.pausedBy}` : "active";
  const kept = Object.entries(policy.retention)
    .filter(([, kept]) => kept > 0)
    .map(([rule, kept]) => `${rule} ${kept}`);
  const lines: [string, string][] = [
    ["Policy", `${policy.name}, ${state}`],
    ["Databases", policy.covers.join(", ") || "none"],
    ["Places", policy.destinations.join(", ")],
    ["Keeps", kept.join(", ")],
    ["Next runs", [...policy.nextRuns, policy.zone].join("  ")],
    ["Last run", policy.lastRun ? `${policy.lastRun.dueAt}: ${policy.lastRun.state}` : "none yet"],
    ["", policy.lastRun?.reason ?? ""],
  ];
  return lines
    .filter(([label, value]) => label !== "" || value !== "")
    .map(([label, value]) => `${label.padEnd(13)}${value}`)
    .join("\n");
}

function simulationText(simulation: Simulation): string {
  const lines = [
    ...simulation.nextRuns.map((at, index) => `${(index === 0 ? "Next runs" : "").padEnd(13)}${at}`),
    `${"Retention".padEnd(13)}would delete ${simulation.deletes}, keeps ${simulation.keeps}; frees ${bytes(simulation.freesBytes)} per copy`,
  ];
  for (const { database, remove, keep } of simulation.databases) {
    lines.push(`${database}: would delete ${remove.length}, keeps ${keep.length}`);
    lines.push(...remove.map(({ id, createdAt }) => `  delete  ${id}  ${createdAt}`));
    lines.push(
      ...keep.map(({ id, createdAt, reasons }) => `  keep    ${id}  ${createdAt}  ${reasons.join(", ")}`),
    );
  }
  return lines.join("\n");
}

function runText(run: PolicyRunDto): string {
  const rows = run.items.map(({ database, state, reason, backup }) => [
    database,
    state,
    backup?.id ?? "-",
    backup?.proof?.verdict ?? "not proven",
    reason ?? "",
  ]);
  const head = `${run.policy}: ${run.state}${run.reason ? `, ${run.reason}` : ""}`;
  return `${head}\n${table(["database", "state", "backup", "proof", "reason"], rows)}`;
}

async function waitForRun(
  client: Client,
  policy: string,
  id: string,
  deadline: number,
): Promise<PolicyRunDto> {
  for (;;) {
    const run = await client.get<PolicyRunDto>(`/policies/${segment(policy)}/runs/${segment(id)}`);
    if (run.state !== "due" && run.state !== "running") return run;
    if (Date.now() + POLL_MS > deadline) {
      throw new CliError(
        EXIT.timedOut,
        `The run of ${policy} is still ${run.state}; stopped waiting.`,
        `It goes on. Look with: holdfast policy show ${policy}`,
      );
    }
    await delay(POLL_MS);
  }
}

/** 0 when all is as the policy asks; 4 when every backup was made, and one is not proven. */
function exitOf(run: PolicyRunDto): ExitCode {
  if (run.state === "succeeded") return EXIT.done;
  const made = run.items.every(({ backup }) => backup?.state === "complete");
  return made && run.items.length > 0 ? EXIT.notProven : EXIT.failed;
}

/** `holdfast policy create|list|show|simulate|pause|resume|archive|run`. */
export function addPolicyCommands(program: Command, cli: Cli): void {
  const policy = program.command("policy").description("backup plans: what, when, where to, how long");
  const show = async (name: string, verb = "") => {
    const path = `/policies/${segment(name)}`;
    const client = cli.client();
    const found = verb ? client.post<PolicyDto>(`${path}/${verb}`) : client.get<PolicyDto>(path);
    print(cli.json, await found, summary);
  };

  policy
    .command("create")
    .description("make a policy; give one of --cron, --every, --daily, --weekly, --monthly")
    .requiredOption("--name <name>", "unique name: lower-case letters, digits, hyphens")
    .option("--databases <names>", "databases, separated by commas")
    .option("--pattern <pattern...>", 'names with * and ?, such as "shop-*"; also of later databases')
    .requiredOption("--destination <name...>", "where copies go; give it once for each")
    .option("--cron <expression>", 'five fields: "15 2 * * *"')
    .option("--every <duration>", "5m, 10m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h or 12h")
    .option("--daily <time>", "02:15")
    .option("--weekly <days@time>", "mon,thu@02:15")
    .option("--monthly <day@time>", "1@02:15, or last@02:15")
    .option("--zone <zone>", "IANA time zone", "UTC")
    .option("--jitter <seconds>", "move each database's start by up to this", "0")
    .option("--missed <choice>", "catch-up or skip what was due while nothing was up", "catch-up")
    .option("--keep-last <n>", "newest backups to keep", "0")
    .option("--keep-hourly <n>", "hours to keep one of", "0")
    .option("--keep-daily <n>", "days to keep one of", "0")
    .option("--keep-weekly <n>", "weeks to keep one of", "0")
    .option("--keep-monthly <n>", "months to keep one of", "0")
    .option("--keep-yearly <n>", "years to keep one of", "0")
    .option("--keep-proven <n>", "newest proven backups that always stay", "3")
    .option("--verify <cadence>", "each, daily, weekly, or every nth: 5", "each")
    .action(async (options: CreateOptions) => {
      print(cli.json, await cli.client().post<PolicyDto>("/policies", bodyOf(options)), summary);
    });

  policy
    .command("list")
    .description("all policies")
    .option("--archived <which>", "no or yes", "no")
    .option("--limit <n>", "items per page", "50")
    .option("--cursor <cursor>", "next page")
    .action(async (options: Record<string, string>) => {
      const page = await cli.client().get<Page<PolicyDto>>("/policies", options);
      print(cli.json, page, ({ items, nextCursor }) => {
        const rows = items.map((item) => [
          item.name,
          item.covers.join(",") || "-",
          item.destinations.join(","),
          item.pausedAt ? "paused" : (item.nextRuns[0] ?? "-"),
          item.lastRun?.state ?? "-",
        ]);
        const more = nextCursor ? `\nMore: --cursor ${nextCursor}` : "";
        return table(["name", "databases", "destinations", "next run", "last run"], rows) + more;
      });
    });

  policy
    .command("show <name>")
    .description("one policy")
    .action((name: string) => show(name));

  policy
    .command("simulate <name>")
    .description("its next runs, and what its retention would delete and keep now")
    .action(async (name: string) => {
      const simulation = await cli.client().get<Simulation>(`/policies/${segment(name)}/simulation`);
      print(cli.json, simulation, simulationText);
    });

  policy
    .command("pause <name>")
    .description("run it no more until it is resumed")
    .action((name: string) => show(name, "pause"));

  policy
    .command("resume <name>")
    .description("run it at its next due time again")
    .action((name: string) => show(name, "resume"));

  policy
    .command("archive <name>")
    .description("end it for good; its backups stay")
    .action((name: string) => show(name, "archive"));

  policy
    .command("run <name>")
    .description("back up everything that it covers now; exit 4 when a backup is not proven")
    .option("--wait", "wait for the end and show the result")
    .option("--timeout <duration>", "longest wait: 90s, 10m, 2h", "2h")
    .action(async (name: string, options: { wait?: boolean; timeout: string }) => {
      const client = cli.client();
      const deadline = deadlineIn(options.timeout);
      const started = await client.post<PolicyRunDto>(`/policies/${segment(name)}/run`);
      const run = options.wait ? await waitForRun(client, name, started.id, deadline) : started;
      print(cli.json, run, runText);
      if (options.wait) cli.exitCode = exitOf(run);
    });
}
