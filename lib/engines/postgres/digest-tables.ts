import type { Client } from "pg";
import { messageOf } from "../../errors.ts";
import type { TableFingerprint } from "../../proof/schema.ts";
import type { WorkContext } from "../engine.ts";
import { codeOf, isConnectionLost } from "./connect-errors.ts";
import { rowHash } from "./digest-sql.ts";
import type { TableInfo } from "./list-tables.ts";
import { inSavepoint } from "./snapshot.ts";

export interface DigestPlan {
  /** How a table is to be compared; for those that can be read. */
  compare(table: TableInfo): "content" | "count" | { not: string };
  /** Milliseconds that digests may take together; Infinity for no limit. */
  budgetMs: number;
}

/** Tables up to this size share a query, so that thousands of them need few round trips. */
const SMALL_BYTES = 4 * 1024 * 1024;
const BATCH_TABLES = 100;
const BATCH_BYTES = 32 * 1024 * 1024;

const QUERY_CANCELED = "57014";
const INSUFFICIENT_PRIVILEGE = "42501";

interface Job {
  table: TableInfo;
  content: boolean;
}

interface Measured {
  rows: number;
  digest: string | null;
  note?: string;
}

/** Small tables together, large ones alone, smallest first: what a time budget cuts off is the largest. */
function batches(jobs: Job[]): Job[][] {
  const result: Job[][] = [];
  let batch: Job[] = [];
  let bytes = 0;
  for (const job of jobs.toSorted((a, b) => a.table.bytes - b.table.bytes)) {
    const full = batch.length >= BATCH_TABLES || bytes + job.table.bytes > BATCH_BYTES;
    if (batch.length > 0 && (full || job.table.bytes > SMALL_BYTES)) {
      result.push(batch);
      [batch, bytes] = [[], 0];
    }
    batch.push(job);
    bytes += job.table.bytes;
  }
  if (batch.length > 0) result.push(batch);
  return result;
}

/** One scan of each table gives its rows and, for content, the sum of its row hashes. */
async function measure(client: Client, batch: Job[]): Promise<Measured[]> {
  const parts = batch.map(({ table, content }, index) => {
    const digest = content ? `coalesce(sum(${rowHash(table.columns)}), 0)::text` : "NULL::text";
    return `SELECT ${index} AS i, count(*)::text AS n, ${digest} AS digest FROM ONLY ${table.sql}`;
  });
  const { rows } = await client.query<{ i: number; n: string; digest: string | null }>(
    parts.join(" UNION ALL "),
  );
  const measured: Measured[] = batch.map(() => ({ rows: 0, digest: null }));
  for (const row of rows) measured[row.i] = { rows: Number(row.n), digest: row.digest };
  return measured;
}

/**
 * Counts every readable table exactly and digests contents as planned. Runs in the transaction of `client`,
 * which must have been begun with beginSnapshot. Progress is in tables.
 */
export async function digestTables(
  client: Client,
  tables: readonly TableInfo[],
  plan: DigestPlan,
  work: Pick<WorkContext, "log" | "progress">,
): Promise<TableFingerprint[]> {
  const fingerprints = new Map<TableInfo, TableFingerprint>();
  const jobs: Job[] = [];
  for (const table of tables) {
    if (table.kind === "partitioned table") continue;
    const how = plan.compare(table);
    if (typeof how === "object") fingerprints.set(table, notCompared(table, how.not));
    else jobs.push({ table, content: how === "content" && plan.budgetMs > 0 });
  }
  const clock = new Budget(plan.budgetMs);
  let done = 0;
  const report = () => work.progress({ label: "Fingerprint", done, total: jobs.length, unit: "tables" });
  report();
  for (const batch of batches(jobs)) {
    const measured = await measureWithin(client, batch, clock);
    batch.forEach(({ table }, index) => {
      const found = measured[index];
      if (found) fingerprints.set(table, compared(table, found));
    });
    done += batch.length;
    report();
  }
  return tables.flatMap((table) => fingerprints.get(table) ?? []);
}

/** Digests while there is time for it, and counts where there is not or where a digest can't be made. */
async function measureWithin(client: Client, batch: Job[], clock: Budget): Promise<Measured[]> {
  const bytes = batch.reduce((sum, job) => sum + job.table.bytes, 0);
  const wanted = batch.some((job) => job.content);
  let note = "the time budget for content digests was used up";
  if (wanted && clock.allows(bytes)) {
    const read = async () => {
      await client.query(`SET LOCAL statement_timeout = ${clock.remainingMs()}`);
      return await measure(client, batch);
    };
    const stop = clock.start(bytes);
    const result = await inSavepoint(client, read, isAboutContent);
    stop();
    if ("value" in result) return result.value;
    if (batch.length > 1) return await oneByOne(client, batch, clock);
    if (!/statement timeout/.test(result.failed)) note = `content could not be digested: ${result.failed}`;
  }
  const counts = batch.map((job) => ({ ...job, content: false }));
  const result = await inSavepoint(client, () => measure(client, counts));
  if ("failed" in result) throw new Error(result.failed);
  return result.value.map((found, index) => (batch[index]?.content ? { ...found, note } : found));
}

async function oneByOne(client: Client, batch: Job[], clock: Budget): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const job of batch) measured.push(...(await measureWithin(client, [job], clock)));
  return measured;
}

/** Errors after which the rows can still be counted. */
function isAboutContent(error: unknown): boolean {
  if (isConnectionLost(error) || codeOf(error) === INSUFFICIENT_PRIVILEGE) return false;
  return codeOf(error) !== QUERY_CANCELED || /statement timeout/.test(messageOf(error));
}

function notCompared(table: TableInfo, note: string): TableFingerprint {
  const kind = table.kind === "partitioned table" ? "table" : table.kind;
  return { name: table.name, kind, rows: null, digest: null, compared: "not compared", note };
}

function compared(table: TableInfo, found: Measured): TableFingerprint {
  const kind = table.kind === "partition" ? "partition" : "table";
  const how = found.digest === null ? "count" : "content";
  const { rows, digest, note } = found;
  return { name: table.name, kind, rows, digest, compared: how, ...(note === undefined ? {} : { note }) };
}

/** Time for digests, and how fast they went so far. */
class Budget {
  readonly #endsAt: number;
  #bytes = 0;
  #ms = 0;

  constructor(budgetMs: number) {
    this.#endsAt = performance.now() + budgetMs;
  }

  /** Milliseconds left, at least 1; 0 (no limit) for an endless budget. */
  remainingMs(): number {
    if (this.#endsAt === Number.POSITIVE_INFINITY) return 0;
    return Math.max(1, Math.min(2_000_000_000, Math.ceil(this.#endsAt - performance.now())));
  }

  /** Whether that many bytes are likely to be done in time, going by the pace so far. */
  allows(bytes: number): boolean {
    const left = this.#endsAt - performance.now();
    if (left <= 0) return false;
    // A pace measured on less says little.
    const pace = this.#bytes > 64 * 1024 * 1024 ? this.#ms / this.#bytes : 0;
    return bytes * pace <= left;
  }

  start(bytes: number): () => void {
    const begun = performance.now();
    return () => {
      this.#bytes += bytes;
      this.#ms += performance.now() - begun;
    };
  }
}
