import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Db } from "../db/client.ts";
import { ROOT } from "../root.ts";
import { LOST_AFTER_SECONDS } from "../workers/worker-row.ts";

export interface Readiness {
  ready: boolean;
  /** No details beyond these: anybody may ask. */
  checks: { database: Check; migrations: Check; worker: Check };
}
export type Check = "ok" | "failed" | "unknown";

/**
 * Whether this process can serve: the database answers, every migration of this version is applied, and some
 * worker is alive. `expected` are the names of this version's migrations.
 */
export async function readiness(db: Db, expected: readonly string[], now: Date): Promise<Readiness> {
  const checks: Readiness["checks"] = { database: "unknown", migrations: "unknown", worker: "unknown" };
  try {
    const applied = await db.$queryRaw<{ name: string }[]>`
      SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL`;
    checks.database = "ok";
    const names = new Set(applied.map((row) => row.name));
    checks.migrations = expected.every((name) => names.has(name)) ? "ok" : "failed";
    if (checks.migrations === "ok") checks.worker = (await hasWorker(db, now)) ? "ok" : "failed";
  } catch {
    if (await answers(db)) {
      checks.database = "ok";
      checks.migrations = "failed";
    } else checks.database = "failed";
  }
  return { ready: Object.values(checks).every((check) => check === "ok"), checks };
}

async function answers(db: Db): Promise<boolean> {
  return await db.$queryRaw`SELECT 1`.then(
    () => true,
    () => false,
  );
}

async function hasWorker(db: Db, now: Date): Promise<boolean> {
  const since = new Date(now.getTime() - LOST_AFTER_SECONDS * 1000);
  return (await db.worker.count({ where: { stoppedAt: null, heartbeatAt: { gt: since } } })) > 0;
}

let expected: Promise<string[]> | undefined;

/** Names of this version's migrations; read once. */
export function expectedMigrations(): Promise<string[]> {
  expected ??= readdir(path.join(/* turbopackIgnore: true */ ROOT, "prisma/migrations"), {
    withFileTypes: true,
  }).then((entries) => entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name));
  return expected;
}
