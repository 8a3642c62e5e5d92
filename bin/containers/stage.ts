import type { BackupDto } from "../../lib/backups/schema.ts";
import type { OperationDto } from "../../lib/operations/schema.ts";
import { finalStates } from "../../lib/operations/schema.ts";
import type { WorkerDto } from "../../lib/workers/schema.ts";
import type { Console } from "./console.ts";
import type { Container, Project } from "./project.ts";
import { assert, until } from "./project.ts";

/** What the checks share: each goes on where the one before ended. */
export interface Stage {
  project: Project;
  image: string;
  url: string;
  /** What no log and no command line may show. */
  secrets: Map<string, string>;
  /** Logs of containers that are gone by now, or soon. */
  logs: string[];
  /** There once somebody has claimed the install. */
  console: Console | null;
  /** The proven backup. */
  backupId: string | null;
}

/** One thing that is tried. It throws what is wrong, and may return a detail worth showing. */
export interface Check {
  name: string;
  /** Without it the later ones make no sense. */
  essential?: true;
  run(stage: Stage): Promise<string | undefined>;
}

export function signedIn(stage: Stage): Console {
  assert(stage.console !== null, "nobody has claimed the install");
  return stage.console;
}

export function provenBackup(stage: Stage): string {
  assert(stage.backupId !== null, "there is no proven backup");
  return stage.backupId;
}

/** The holdfast command, run inside the web container as docs/deploy.md says; returns its stdout. */
export async function holdfast(
  stage: Stage,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const token = stage.console ? { HOLDFAST_TOKEN: stage.console.token } : {};
  const given = Object.entries({ HOLDFAST_URL: "http://127.0.0.1:3000", ...token, ...env });
  const set = given.flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  return await stage.project.compose(["exec", "-T", ...set, "web", "node", "bin/holdfast", ...args]);
}

/** Keeps what the containers have said so far: it goes with them. */
export async function keepLogs(stage: Stage): Promise<void> {
  stage.logs.push(await stage.project.compose(["logs", "--no-color"]));
}

export function assertNoSecret(stage: Stage, text: string, where: string): void {
  for (const [name, secret] of stage.secrets) {
    assert(secret.length >= 16, `the ${name} is too short to be looked for`);
    assert(!text.includes(secret), `the ${name} is in ${where}`);
  }
}

/** Waits until web answers that database, migrations and a worker are there. */
export async function waitReady(stage: Stage): Promise<void> {
  await until("GET /api/readyz answers 200", async () => {
    const answer = await fetch(`${stage.url}/api/readyz`, { signal: AbortSignal.timeout(10_000) });
    return answer.ok ? true : null;
  });
}

/** Waits until every container of the service is well by its own health check. */
export async function waitHealthy(stage: Stage, service: string, count: number): Promise<Container[]> {
  return await until(`${count} healthy containers of ${service}`, async () => {
    const containers = await stage.project.containers(service);
    const well = containers.filter(({ State }) => State.Running && State.Health?.Status === "healthy");
    return containers.length === count && well.length === count ? well : null;
  });
}

export async function workersUp(stage: Stage): Promise<WorkerDto[]> {
  const { items } = await signedIn(stage).api<{ items: WorkerDto[] }>("/workers");
  return items.filter((worker) => worker.state === "up");
}

export async function waitFinal(stage: Stage, operationId: string): Promise<OperationDto> {
  return await until(`operation ${operationId} is over`, async () => {
    const operation = await signedIn(stage).api<OperationDto>(`/operations/${operationId}`);
    return finalStates.includes(operation.state) ? operation : null;
  });
}

/** The container that an operation's worker lives in: workers are named after their host and process. */
export async function containerOf(stage: Stage, worker: string): Promise<Container> {
  const containers = await stage.project.containers("worker");
  const found = containers.find(({ Id }) => worker.startsWith(Id.slice(0, 12)));
  assert(found !== undefined, `there is no container of the worker ${worker}`);
  return found;
}

export async function backupOf(stage: Stage, id: string): Promise<BackupDto> {
  return await signedIn(stage).api<BackupDto>(`/backups/${id}`);
}

/**
 * Starts a backup, holds it up in its middle (somebody else has locked a table of the source), does `meanwhile`, and
 * lets it go on. Returns the operation as it was when held up.
 */
export async function heldBackup(
  stage: Stage,
  meanwhile: (operation: OperationDto) => Promise<void>,
): Promise<{ backupId: string; operation: OperationDto }> {
  const { project } = stage;
  const lock = "SET application_name = 'holder'; BEGIN; LOCK TABLE item; SELECT pg_sleep(3600);";
  const holder = project.sql("shop", lock).catch(() => "");
  const held = "SELECT 1 FROM pg_locks WHERE relation = 'item'::regclass";
  try {
    await until("the table is locked", async () => {
      const found = await project.sql("shop", `${held} AND granted AND mode = 'AccessExclusiveLock'`);
      return found === "1" ? true : null;
    });
    const backup = await until("a backup is started", () =>
      signedIn(stage).api<BackupDto>("/backups", { database: "shop" }),
    );
    const operation = await until("a worker's backup waits for the table", async () => {
      const waiting = await project.sql("shop", `${held} AND NOT granted LIMIT 1`);
      const found = await signedIn(stage).api<OperationDto>(`/operations/${backup.operationId}`);
      assert(!finalStates.includes(found.state), `the backup ended too soon: ${found.reason}`);
      return waiting === "1" && found.state === "running" && found.worker !== null ? found : null;
    });
    await meanwhile(operation);
    return { backupId: backup.id, operation };
  } finally {
    const ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'";
    await project.sql("postgres", ended);
    await holder;
  }
}
