import { setTimeout as delay } from "node:timers/promises";
import type { Db, Tx } from "../db/client.ts";
import { isHoldfastError } from "../errors.ts";
import { ClaimLost } from "./claim.ts";

/** With a database that answers; a deadlock or a connection that was cut deserves another try. */
const TRIES = 3;
/** Longest time that a write is held on to while the database is away. */
const HOLD_MS = 10 * 60_000;
const LIMITS = { maxWait: 10_000, timeout: 60_000 };

/**
 * A transaction that outlives a restart of the database server: it is begun again when the server answers. The
 * work may therefore run more than once. Errors that are meant (HoldfastError, ClaimLost) come out at once.
 */
export async function persist<T>(
  db: Db,
  work: (tx: Tx) => Promise<T>,
  waiting: { signal?: AbortSignal; onWait?: () => void } = {},
): Promise<T> {
  const until = performance.now() + HOLD_MS;
  for (let tried = 1; ; tried += 1) {
    try {
      return await db.$transaction(work, LIMITS);
    } catch (error) {
      if (error instanceof ClaimLost || isHoldfastError(error) || tried >= TRIES) throw error;
      await untilItAnswers(db, until, waiting);
      if (waiting.signal?.aborted) throw error;
    }
  }
}

const READS = new Set([
  "findUnique",
  "findUniqueOrThrow",
  "findFirst",
  "findFirstOrThrow",
  "findMany",
  "count",
  "aggregate",
  "groupBy",
]);
/** Prisma's code for a row that was required and is not there: the database has answered. */
const NOT_FOUND = "P2025";

/** The same client, but what it reads from models outlives a restart of the database server, as persist does. */
export function patientReads(db: Db, waiting: { signal?: AbortSignal; onWait?: () => void } = {}): Db {
  const patient = db.$extends({
    query: {
      $allModels: {
        async $allOperations({ operation, args, query }) {
          return READS.has(operation) ? await patiently(db, () => query(args), waiting) : await query(args);
        },
      },
    },
  });
  // All that the type loses is what handlers have no use for: events and middleware.
  return patient as unknown as Db;
}

async function patiently<T>(
  db: Db,
  read: () => Promise<T>,
  waiting: { signal?: AbortSignal; onWait?: () => void },
): Promise<T> {
  const until = performance.now() + HOLD_MS;
  for (let tried = 1; ; tried += 1) {
    try {
      return await read();
    } catch (error) {
      const answered = (error as { code?: unknown } | null)?.code === NOT_FOUND;
      if (answered || tried >= TRIES) throw error;
      await untilItAnswers(db, until, waiting);
      if (waiting.signal?.aborted) throw error;
    }
  }
}

async function untilItAnswers(
  db: Db,
  until: number,
  { signal, onWait }: { signal?: AbortSignal; onWait?: () => void },
): Promise<void> {
  while (performance.now() < until && !signal?.aborted) {
    await delay(250);
    onWait?.();
    try {
      await db.$queryRaw`SELECT 1`;
      return;
    } catch {
      // Still away: ask again.
    }
  }
}
