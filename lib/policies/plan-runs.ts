import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import type { PolicyRunState } from "../db/generated/client.ts";
import { messageOf } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { formatDuration } from "../format.ts";
import { newId } from "../ids.ts";
import { covers, databasesInUse } from "./coverage.ts";
import { afterBlackouts, jitterMs, nextRuns, runsBetween, type Timing } from "./next-run.ts";
import { type PolicyRow, policyInclude, selectionOf, timingOf } from "./policy-row.ts";

/** A run may begin this late, in ms, and still be the run of its time: workers restart. */
const ON_TIME_MS = 10 * 60_000;
/** The clock was set back when everything is planned to later than this after now. */
const AHEAD_MS = 10 * 60_000;
/** Due times recorded in one go, the newest ones. */
const MOST = 2_000;

/**
 * Records every time that has become due, once, however many workers do this at once: the newest one of a policy is
 * to be run, when it is recent, or when the policy makes up for missed runs; all others were missed, or skipped
 * while the policy was paused. `now` is the shared time.
 */
export async function planRuns(ctx: Ctx, now: Date): Promise<void> {
  const due = await ctx.db.policy.findMany({
    where: {
      archivedAt: null,
      OR: [{ nextDueAt: { lte: now } }, { plannedUntil: { gt: new Date(now.getTime() + AHEAD_MS) } }],
    },
    select: { id: true, name: true },
    orderBy: { nextDueAt: "asc" },
  });
  for (const { id, name } of due) {
    try {
      await ctx.db.$transaction(async (tx) => {
        const locked = await tx.$queryRaw<unknown[]>`
          SELECT 1 FROM policy WHERE id = ${id}::uuid FOR UPDATE SKIP LOCKED`;
        if (locked.length > 0) await planPolicy(tx, ctx, id, now);
      });
    } catch (error) {
      ctx.log.warn({ policy: name, err: messageOf(error) }, "a policy's runs could not be planned");
    }
  }
}

/** The same for one policy, whose row the caller has locked: before anything about it changes. */
export async function planPolicy(tx: Tx, ctx: Ctx, policyId: string, now: Date): Promise<void> {
  const policy = await tx.policy.findUniqueOrThrow({ where: { id: policyId }, include: policyInclude });
  if (policy.archivedAt) return;
  const timing = timingOf(policy);
  if (policy.plannedUntil.getTime() > now.getTime() + AHEAD_MS) await takeBack(tx, ctx, policy, now);
  else if (policy.plannedUntil <= now) await recordDue(tx, ctx, policy, timing, now);
  else return;
  await tx.policy.update({
    where: { id: policy.id },
    data: { plannedUntil: now, nextDueAt: nextRuns(timing, now, 1)[0] ?? null },
  });
}

async function recordDue(tx: Tx, ctx: Ctx, policy: PolicyRow, timing: Timing, now: Date): Promise<void> {
  const due = runsBetween(timing, policy.plannedUntil, now, MOST);
  const newest = due.at(-1);
  if (!newest) return;
  const late = now.getTime() - newest.getTime() > ON_TIME_MS;
  const runs = policy.pausedAt === null && (!late || policy.missed === "catch_up");
  const passed = runs ? due.slice(0, -1) : due;
  const earlier =
    due.length === MOST ? ` So were earlier ones since ${policy.plannedUntil.toISOString()}.` : "";
  const why =
    policy.pausedAt !== null
      ? `The policy was paused by ${policy.pausedBy ?? "somebody"}.`
      : runs
        ? `Nothing was up to run it. The run of ${newest.toISOString()} makes up for it.`
        : "Nothing was up to run it.";
  const state = policy.pausedAt === null ? "missed" : "skipped";
  for (const [index, dueAt] of passed.entries()) {
    const reason = index === 0 ? `${why}${earlier}` : why;
    const id = await addRun(tx, policy, { dueAt, state, reason, trigger: "schedule", now });
    if (id && state === "missed") await tellMissed(tx, ctx, policy, { id, dueAt, reason });
  }
  if (!runs) return;
  const id = await addRun(tx, policy, {
    dueAt: newest,
    state: "due",
    reason: late
      ? `Made up for, ${formatDuration((now.getTime() - newest.getTime()) / 1000)} late: nothing was up to run it.`
      : null,
    trigger: late ? "catch_up" : "schedule",
    now,
  });
  if (id) await addItems(tx, policy, timing, { id, dueAt: newest, from: late ? now : newest });
}

interface NewRun {
  dueAt: Date;
  state: PolicyRunState;
  reason: string | null;
  trigger: string;
  now: Date;
}

/** Null when there is a run of this time already. */
async function addRun(tx: Tx, policy: PolicyRow, run: NewRun): Promise<string | null> {
  const id = newId();
  const over = run.state !== "due";
  const { count } = await tx.policyRun.createMany({
    data: [
      {
        id,
        policyId: policy.id,
        dueAt: run.dueAt,
        state: run.state,
        reason: run.reason,
        trigger: run.trigger,
        actorName: policy.name,
        createdAt: run.now,
        finishedAt: over ? run.now : null,
      },
    ],
    skipDuplicates: true,
  });
  if (count === 0) return null;
  await emitEvent(tx, "policies", policy.id);
  await emitEvent(tx, "overview");
  return id;
}

async function addItems(
  tx: Tx,
  policy: PolicyRow,
  timing: Timing,
  run: { id: string; dueAt: Date; from: Date },
): Promise<void> {
  const selection = selectionOf(policy);
  const covered = (await databasesInUse(tx)).filter((database) => covers(selection, database));
  await tx.policyRunItem.createMany({
    data: covered.map(({ id: databaseId }) => {
      const seed = `${policy.id}:${run.dueAt.toISOString()}:${databaseId}`;
      const at = new Date(run.from.getTime() + jitterMs(seed, policy.jitterSeconds * 1000));
      return { runId: run.id, databaseId, startAt: afterBlackouts(timing, at) };
    }),
  });
}

async function tellMissed(
  tx: Tx,
  ctx: Ctx,
  policy: PolicyRow,
  run: { id: string; dueAt: Date; reason: string },
): Promise<void> {
  await emitAudit(tx, ctx, {
    action: "policy.missed",
    object: { kind: "policy", id: policy.id, name: policy.name },
    after: { runId: run.id, dueAt: run.dueAt.toISOString(), reason: run.reason },
  });
}

/**
 * The clock was ahead, and has been put right: times that are still to come were not missed, and what ran under
 * them ran now, so that none of them counts as done.
 */
async function takeBack(tx: Tx, ctx: Ctx, policy: PolicyRow, now: Date): Promise<void> {
  const ahead = { policyId: policy.id, dueAt: { gt: now } };
  const idle = await tx.policyRun.deleteMany({
    where: { ...ahead, state: { in: ["missed", "skipped"] }, items: { none: {} } },
  });
  const ran = await tx.policyRun.findMany({ where: ahead, orderBy: { dueAt: "asc" }, select: { id: true } });
  for (const [index, { id }] of ran.entries()) {
    await tx.policyRun.update({
      where: { id },
      data: { dueAt: new Date(now.getTime() - ran.length + index) },
    });
  }
  await tx.policyRunItem.updateMany({
    where: { runId: { in: ran.map(({ id }) => id) }, startAt: { gt: now } },
    data: { startAt: now },
  });
  await emitAudit(tx, ctx, {
    action: "policy.clock",
    object: { kind: "policy", id: policy.id, name: policy.name },
    before: { plannedUntil: policy.plannedUntil.toISOString() },
    after: { plannedUntil: now.toISOString(), takenBack: idle.count, moved: ran.length },
  });
  await emitEvent(tx, "policies", policy.id);
}
