// npm run bench -- backup [--gb 4] [--runs 5]
// Holdfast (a real worker, its ledger, one local destination) against the plain shell pipeline on the same
// database, alternating; then restore-and-prove against pg_restore and the fingerprint query.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { manifestSchema } from "../lib/backups/manifest.ts";
import { runBackup } from "../lib/backups/run-backup.ts";
import { asSystem, type Ctx, systemClock } from "../lib/context.ts";
import { createDatabase } from "../lib/databases/create-database.ts";
import { openDb } from "../lib/db/client.ts";
import { ensureLogin, migrate } from "../lib/db/migrate.ts";
import { ensureDefaults } from "../lib/defaults.ts";
import { engineFor } from "../lib/engines/registry.ts";
import { createLogger } from "../lib/logger.ts";
import { prepareQueues } from "../lib/operations/prepare-queues.ts";
import { finalStates } from "../lib/operations/schema.ts";
import { startKeyring } from "../lib/secrets/start-keyring.ts";
import { startTestPostgres, type TestPostgres } from "../lib/testing/postgres.ts";
import { seed } from "./backup-seed.ts";
import { MemoryWatch } from "./memory.ts";

const { values } = parseArgs({
  options: { gb: { type: "string", default: "1" }, runs: { type: "string", default: "5" } },
});
const gigabytes = Number(values.gb);
const runs = Number(values.runs);
/** Of an ordinary small server; on both sides of each comparison. */
const SERVER = { shared_buffers: "256MB", max_wal_size: "4GB", fsync: "off", max_connections: "100" };

const root = await mkdtemp(path.join(tmpdir(), "holdfast-bench-"));
const stops: (() => Promise<unknown>)[] = [];
try {
  await bench();
} finally {
  for (const stop of stops.reverse()) await stop();
  await rm(root, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const server = await startTestPostgres({ settings: SERVER });
  stops.push(() => server.stop());
  await server.createDatabase("source");
  const client = await server.client("source");
  await seed(client, gigabytes);
  const size = await client.query<{ text: string }>(
    "SELECT pg_size_pretty(pg_database_size('source')) AS text",
  );
  await client.end();
  console.log(`database of ${size.rows[0]?.text} on disk, ${runs} runs each, alternating`);

  const install = await makeInstall(server);
  const recipient = await identityToRecipient(await generateX25519Identity());
  const times: Record<string, number[]> = { shell: [], counts: [], content: [] };
  const peaks: number[] = [];
  const proofs: { total: number; indexChecks: number; seconds: Record<string, number> }[] = [];
  for (const mode of ["counts", "content"] as const) {
    const worker = await startWorker(install, mode === "counts" ? 0 : 3600);
    for (let run = 0; run < runs; run++) {
      times.shell?.push(await shellPipeline(server, recipient));
      worker.memory.reset();
      const { backupSeconds, proof } = await oneBackup(
        install,
        worker.memory,
        peaks,
        mode === "content" && run < 3,
      );
      times[mode]?.push(backupSeconds);
      if (proof) proofs.push(proof);
    }
    await worker.stop();
  }
  const shell = median(times.shell);
  report("shell pipeline", shell, null, null);
  report("Holdfast, exact counts", median(times.counts), median(times.counts) / shell, 1.1);
  report("Holdfast, content digests", median(times.content), median(times.content) / shell, 1.5);
  const peak = Math.round(Math.max(...peaks));
  // Proportional set size: pages that processes share (the runtime's own code) count once.
  console.log(`peak memory of worker and children: ${peak} MiB (goal 256)${peak <= 256 ? "" : "  MISSED"}`);

  const restore: number[] = [];
  for (let run = 0; run < 3; run++) restore.push(await plainRestore(server, install.ctx));
  const proven = median(proofs.map((proof) => proof.total - proof.indexChecks));
  report("pg_restore and fingerprint query", median(restore), null, null);
  report("Holdfast, restore and prove", proven, proven / median(restore), 1.25);
  console.log(`index checks apart: ${median(proofs.map((proof) => proof.indexChecks)).toFixed(1)} s`);
  console.log(`phases of a proof: ${JSON.stringify(proofs.at(-1)?.seconds)}`);
}

interface Install {
  ctx: Ctx;
  databaseUrl: string;
  environment: Record<string, string>;
}

/** An own metadata database, keys and a local destination, as a first start makes them. */
async function makeInstall(server: TestPostgres): Promise<Install> {
  await server.createDatabase("holdfast");
  await migrate(server.url("holdfast"));
  await ensureLogin(server.url("holdfast"), "holdfast", "bench-Password-1");
  const databaseUrl = `postgresql://holdfast:bench-Password-1@127.0.0.1:${server.port}/holdfast`;
  await prepareQueues(databaseUrl);
  const data = path.join(root, "data");
  const temp = path.join(root, "temp");
  await mkdir(path.join(data, "keys"), { recursive: true, mode: 0o700 });
  await mkdir(temp);
  const environment = { HOLDFAST_DATA: data, HOLDFAST_TEMP: temp, DATABASE_URL: databaseUrl };
  Object.assign(process.env, environment);
  const db = openDb(databaseUrl, { max: 3, applicationName: "holdfast bench" });
  stops.push(() => db.$disconnect());
  const ctx = asSystem({ db, clock: systemClock, log: createLogger("bench", "warn") }, "bench");
  await startKeyring(db, { folder: path.join(data, "keys"), embedded: true });
  await ensureDefaults(ctx, { dataFolder: data });
  await createDatabase(ctx, {
    name: "source",
    engine: "postgres",
    environment: "production",
    url: server.url("source"),
  });
  return { ctx, databaseUrl, environment };
}

async function startWorker(install: Install, digestSeconds: number) {
  const child = spawn(process.execPath, [path.resolve(import.meta.dirname, "../worker/index.ts")], {
    env: {
      ...process.env,
      ...install.environment,
      HOLDFAST_DIGEST_SECONDS: String(digestSeconds),
      HOLDFAST_LOG_LEVEL: "error",
    },
    stdio: ["pipe", "inherit", "inherit"],
  });
  const exited = once(child, "exit");
  const memory = new MemoryWatch(child.pid ?? 0, (command) => /\bpostgres\b.*-D|bwrap/.test(command));
  return {
    memory,
    async stop() {
      memory.stop();
      child.kill("SIGTERM");
      await exited;
    },
  };
}

async function oneBackup(install: Install, memory: MemoryWatch, peaks: number[], prove: boolean) {
  const { db } = install.ctx;
  // The registration's preflight uses the server, too.
  await idle(install);
  const started = await runBackup(install.ctx, { database: "source", verify: prove });
  const dumped = await ended(install, started.operationId);
  peaks.push(memory.peak.pssMiB);
  console.log(
    `  ${dumped.seconds.toFixed(2)} s, peak ${Math.round(memory.peak.rssMiB)} MiB RSS, ${Math.round(memory.peak.pssMiB)} MiB PSS ${JSON.stringify(memory.peak.byProcess)}`,
  );
  if (!prove) return { backupSeconds: dumped.seconds, proof: null };
  const operation = await db.operation.findFirstOrThrow({
    where: { backupId: started.id, kind: "backup.verify" },
  });
  const { seconds: total } = await ended(install, operation.id);
  const proof = await db.proof.findFirstOrThrow({ where: { operationId: operation.id } });
  if (proof.verdict !== "proven") throw new Error(`not proven: ${proof.reason}`);
  const { seconds } = proof.report as { seconds: Record<string, number> };
  return {
    backupSeconds: dumped.seconds,
    proof: { total, indexChecks: seconds["index checks"] ?? 0, seconds },
  };
}

async function idle({ ctx }: Install): Promise<void> {
  const running = () =>
    ctx.db.operation.count({ where: { state: { in: ["queued", "running", "cancelling"] } } });
  while ((await running()) > 0) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** Waits for an operation's end; its seconds run from the claim to the final state. */
async function ended({ ctx }: Install, id: string): Promise<{ seconds: number }> {
  for (;;) {
    const row = await ctx.db.operation.findUniqueOrThrow({ where: { id } });
    if (finalStates.includes(row.state)) {
      if (row.state !== "succeeded") throw new Error(`${row.title}: ${row.reason}`);
      return { seconds: ((row.finishedAt?.getTime() ?? 0) - (row.startedAt?.getTime() ?? 0)) / 1000 };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function shellPipeline(server: TestPostgres, recipient: string): Promise<number> {
  const file = path.join(root, "shell.age");
  const script = 'pg_dump -Fc -Z0 -d "$1" | zstd -q -3 | age -r "$2" > "$3"';
  const seconds = await timed(script, [server.url("source"), recipient, file]);
  await rm(file);
  console.log(`  ${seconds.toFixed(2)} s, shell`);
  return seconds;
}

async function plainRestore(server: TestPostgres, ctx: Ctx): Promise<number> {
  const file = path.join(root, "plain.pgdump");
  await timed('pg_dump -Fc -Z0 -d "$1" -f "$2"', [server.url("source"), file]);
  await server.createDatabase("restored");
  const restored = await timed('pg_restore --exit-on-error -d "$1" "$2"', [server.url("restored"), file]);
  const stored = await ctx.db.backupManifest.findFirstOrThrow({ orderBy: { backup: { createdAt: "desc" } } });
  const like = manifestSchema.parse(JSON.parse(stored.text)).fingerprint;
  const before = performance.now();
  await engineFor("postgres").fingerprint(server.access("restored"), like, {
    signal: AbortSignal.timeout(3_600_000),
    log: () => undefined,
    progress: () => undefined,
    tempDir: root,
    applicationName: "holdfast bench",
  });
  const fingerprint = (performance.now() - before) / 1000;
  const admin = await server.client();
  await admin.query("DROP DATABASE restored");
  await admin.end();
  await rm(file);
  console.log(`  ${restored.toFixed(2)} s pg_restore, ${fingerprint.toFixed(2)} s fingerprint`);
  return restored + fingerprint;
}

async function timed(script: string, args: string[]): Promise<number> {
  const before = performance.now();
  const child = spawn("bash", ["-o", "pipefail", "-c", script, "bench", ...args], { stdio: "inherit" });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`the shell pipeline ended with ${code}`);
  return (performance.now() - before) / 1000;
}

function median(values: number[] = []): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}

function report(what: string, seconds: number, ratio: number | null, goal: number | null): void {
  const against =
    ratio === null
      ? ""
      : `  ratio ${ratio.toFixed(2)} (goal ${goal})${ratio <= (goal ?? 0) ? "" : "  MISSED"}`;
  console.log(`${what.padEnd(36)} ${seconds.toFixed(2)} s${against}`);
}
