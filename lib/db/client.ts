import { PrismaPg } from "@prisma/adapter-pg";
import type { Prisma } from "./generated/client.ts";
import { PrismaClient } from "./generated/client.ts";

export type Db = PrismaClient;
export type Tx = Prisma.TransactionClient;

/** The role that every connection of web and worker takes on: it owns no audit table. */
export const RUNTIME_ROLE = "holdfast_runtime";

export interface DbOptions {
  /** Most connections of this process. */
  max: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
}

/**
 * Opens a pool on our metadata database. Waiting for a connection is bounded (10 s), as is every
 * statement (60 s), so that a stuck server shows as an error and not as a hang. A process that is frozen in the
 * middle of a transaction holds its locks for 30 s and not for ever: others have to end what it was at.
 */
export function openDb(connectionString: string, { max, applicationName }: DbOptions): Db {
  const adapter = new PrismaPg({
    connectionString,
    max,
    application_name: applicationName,
    options: `-c role=${RUNTIME_ROLE}`,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 60_000,
    idle_in_transaction_session_timeout: 30_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  });
  // Prisma's own 2 s and 5 s would fail verbs on a machine that is merely busy.
  return new PrismaClient({ adapter, transactionOptions: { maxWait: 10_000, timeout: 30_000 } });
}
