import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { Prisma } from "../db/generated/client.ts";
import { newId } from "../ids.ts";
import { nextBackupPath } from "./backup-path.ts";
import { removeInChild } from "./remove-in-child.ts";

/** One attempt of an operation: whoever writes a folder. */
export interface Writer {
  operationId: string;
  attempt: number;
}

const FIRST_WAIT_SECONDS = 20;
const LONGEST_WAIT_SECONDS = 300;
/** Longest wait for one destination. */
const LIMIT_MS = 20_000;
/** A process whose attempt was taken from it may wake up, and go on writing where it was, this long. */
const WAKES_UP_SECONDS = 86_400;
const MOST_PER_PASS = 50;

/**
 * A folder that this attempt alone writes to, noted for every destination before its first byte, in a transaction
 * of the attempt. Because no two attempts share a folder, whoever tidies up after one can't touch another's.
 */
export async function openFolder(
  tx: Tx,
  writer: Writer,
  backup: { id: string; path: string },
  destinationIds: readonly string[],
  now: Date,
): Promise<string> {
  await tx.$queryRaw`SELECT 1 FROM backup WHERE id = ${backup.id}::uuid FOR UPDATE`;
  const noted = await tx.storageCleanUp.findMany({
    where: { path: { endsWith: `-${backup.id}` } },
    select: { path: true },
  });
  const copies = await tx.copy.findMany({ where: { backupId: backup.id }, select: { path: true } });
  const taken = [backup.path, ...noted.map(({ path }) => path), ...copies.map(({ path }) => path)];
  const path = nextBackupPath(taken, now, backup.id);
  await noteFolder(tx, writer, path, destinationIds);
  return path;
}

/** The same for a folder that is known to be this attempt's. */
export async function noteFolder(
  tx: Tx,
  { operationId, attempt }: Writer,
  path: string,
  destinationIds: readonly string[],
): Promise<void> {
  for (const destinationId of destinationIds) {
    const key = { destinationId_path: { destinationId, path } };
    const data = { operationId, attempt };
    await tx.storageCleanUp.upsert({
      where: key,
      create: { id: newId(), destinationId, path, ...data },
      update: data,
    });
  }
}

/** A stored copy vouches for the folder from now on; in the transaction that says so. */
export async function keepFolder(tx: Tx, destinationId: string, path: string): Promise<void> {
  await tx.storageCleanUp.deleteMany({ where: { destinationId, path } });
}

interface Due {
  id: string;
  destination_id: string;
  path: string;
  tries: number;
  again: boolean;
}

/**
 * Removes what this attempt has written and no copy vouches for. Must only be called when nothing of the attempt
 * writes any more. What a destination that can't be reached holds stays noted, and is removed later.
 */
export async function removeFolders(ctx: Ctx, writer: Writer): Promise<void> {
  const { operationId, attempt } = writer;
  await removeAll(ctx, Prisma.sql`s.operation_id = ${operationId}::uuid AND s.attempt = ${attempt}`);
}

/** One pass over what is due and whose attempt is over, whatever operation it was of. */
export async function cleanUpStorage(ctx: Ctx): Promise<void> {
  await removeAll(
    ctx,
    Prisma.sql`s.next_at <= now() AND NOT EXISTS (
      SELECT 1 FROM operation o WHERE o.id = s.operation_id AND o.attempt = s.attempt
         AND o.state IN ('running', 'cancelling'))`,
  );
}

/** What was given up, or could not be removed before, is looked at once more after it was found empty. */
async function removeAll(ctx: Ctx, which: Prisma.Sql): Promise<void> {
  const due = await ctx.db.$queryRaw<Due[]>`
    SELECT s.id::text, s.destination_id::text, s.path, s.tries, s.error IS NOT NULL OR (
        s.created_at > now() - ${WAKES_UP_SECONDS} * interval '1 second' AND EXISTS (
          SELECT 1 FROM operation_transition t
           WHERE t.operation_id = s.operation_id AND t.attempt = s.attempt AND t.state = 'interrupted')) AS again
      FROM storage_clean_up s
     WHERE ${which} AND NOT EXISTS (
       SELECT 1 FROM copy c WHERE c.destination_id = s.destination_id AND c.path = s.path
          AND c.state NOT IN ('writing', 'failed', 'removed'))
     ORDER BY s.next_at LIMIT ${MOST_PER_PASS}`;
  if (due.length === 0) return;
  const folders = due.map(({ id, destination_id: destinationId, path }) => ({ id, destinationId, path }));
  const errors = await removeInChild(ctx, folders, LIMIT_MS);
  for (const { id, tries, again, path } of due) {
    const error = errors.get(id) ?? null;
    if (error !== null) ctx.log.warn({ path, why: error }, "a folder at a destination stays for now");
    const wait = error === null ? LONGEST_WAIT_SECONDS : FIRST_WAIT_SECONDS * 2 ** Math.min(tries, 10);
    if (error === null && !again) await ctx.db.storageCleanUp.deleteMany({ where: { id } });
    else await later(ctx, id, Math.min(wait, LONGEST_WAIT_SECONDS), error);
  }
}

async function later(ctx: Ctx, id: string, seconds: number, error: string | null): Promise<void> {
  await ctx.db.$executeRaw`
    UPDATE storage_clean_up
       SET tries = tries + 1, error = ${error}, next_at = now() + ${seconds} * interval '1 second'
     WHERE id = ${id}::uuid`;
}
