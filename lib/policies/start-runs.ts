import { createBackup } from "../backups/create-backup.ts";
import type { Ctx } from "../context.ts";
import { triggerOf } from "../databases/start-preflight.ts";
import type { Tx } from "../db/client.ts";
import type { Prisma } from "../db/generated/client.ts";
import { isHoldfastError, messageOf } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { verificationSchema } from "./schema.ts";
import { shouldVerify, type Verified } from "./verification.ts";

interface Key {
  runId: string;
  databaseId: string;
}

/** Starts the backups whose time has come, each in a transaction of its own; several workers share them. */
export async function startDue(ctx: Ctx, now: Date): Promise<void> {
  const items = await ctx.db.policyRunItem.findMany({
    where: { state: "waiting", startAt: { lte: now } },
    select: {
      runId: true,
      databaseId: true,
      run: { select: { policy: { select: { id: true, name: true } } } },
    },
    orderBy: [{ startAt: "asc" }, { databaseId: "asc" }],
  });
  for (const { runId, databaseId, run } of items) {
    const actor = { kind: "schedule" as const, id: run.policy.id, name: run.policy.name };
    await startItem({ ...ctx, actor }, { runId, databaseId }, now);
  }
}

/** Starts the backup of one database of a run, as the actor; does nothing when it was started already. */
export async function startItem(ctx: Ctx, key: Key, now: Date): Promise<void> {
  try {
    await ctx.db.$transaction((tx) => start(tx, ctx, key, now));
  } catch (error) {
    // What is not meant for people may be over the next time.
    if (isHoldfastError(error)) await ctx.db.$transaction((tx) => end(tx, key, "failed", error.message, now));
    else ctx.log.warn({ ...key, err: messageOf(error) }, "a backup of a policy could not be started");
  }
}

const itemInclude = {
  database: true,
  run: { include: { policy: { include: { destinations: true } } } },
} as const satisfies Prisma.PolicyRunItemInclude;
type Item = Prisma.PolicyRunItemGetPayload<{ include: typeof itemInclude }>;

async function start(tx: Tx, ctx: Ctx, key: Key, now: Date): Promise<void> {
  if (!(await lockWaiting(tx, key))) return;
  const item = await tx.policyRunItem.findUniqueOrThrow({
    where: { runId_databaseId: key },
    include: itemInclude,
  });
  const why = await reasonToSkip(tx, item);
  if (why) return await end(tx, key, "skipped", why, now);
  const { database, run } = item;
  const { policy } = run;
  const verify = shouldVerify(
    verificationSchema.parse(policy.verification),
    await verifiedBefore(tx, policy.id, database.id),
    now,
    policy.zone,
  );
  const { backupId } = await createBackup(tx, ctx, {
    database,
    verify,
    trigger: triggerOf(ctx),
    title: `Back up ${database.name}`,
    policy: {
      id: policy.id,
      runId: run.id,
      destinationIds: policy.destinations.map(({ destinationId }) => destinationId),
    },
  });
  await tx.policyRunItem.update({
    where: { runId_databaseId: key },
    data: { state: "started", verify, backupId },
  });
  await tx.policyRun.updateMany({
    where: { id: run.id, state: "due" },
    data: { state: "running", startedAt: now },
  });
  await emitEvent(tx, "policies", policy.id);
}

async function lockWaiting(tx: Tx, { runId, databaseId }: Key): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM policy_run_item
     WHERE run_id = ${runId}::uuid AND database_id = ${databaseId}::uuid AND state = 'waiting'
       FOR UPDATE SKIP LOCKED`;
  return rows.length > 0;
}

async function reasonToSkip(tx: Tx, { database, run }: Item): Promise<string | null> {
  if (database.archivedAt) return "The database is archived.";
  if (run.policy.archivedAt) return "The policy is archived.";
  const scheduled = run.trigger === "schedule" || run.trigger === "catch_up";
  if (scheduled && run.policy.pausedAt)
    return `The policy was paused by ${run.policy.pausedBy ?? "somebody"}.`;
  const before = await tx.backup.findFirst({
    where: { policyId: run.policyId, databaseId: database.id, state: "running" },
    select: { operationId: true },
  });
  return before ? `The backup before it is still under way: operation ${before.operationId}.` : null;
}

/** Backups that failed were not proven, and don't count. */
async function verifiedBefore(tx: Tx, policyId: string, databaseId: string): Promise<Verified> {
  const made = { run: { policyId }, databaseId, state: { in: ["started" as const, "succeeded" as const] } };
  const last = await tx.policyRunItem.findFirst({
    where: { ...made, verify: true },
    select: { startAt: true },
    orderBy: { startAt: "desc" },
  });
  if (!last) return { lastAt: null, since: 0 };
  const since = await tx.policyRunItem.count({ where: { ...made, startAt: { gt: last.startAt } } });
  return { lastAt: last.startAt, since };
}

async function end(tx: Tx, key: Key, state: "failed" | "skipped", reason: string, now: Date): Promise<void> {
  await tx.policyRunItem.updateMany({
    where: { ...key, state: "waiting" },
    data: { state, reason, finishedAt: now },
  });
  const { policyId } = await tx.policyRun.findUniqueOrThrow({ where: { id: key.runId } });
  await emitEvent(tx, "policies", policyId);
}
