import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { runBackup } from "../backups/run-backup.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { registerSample } from "./register.ts";
import { KIOSK, SAMPLE_NAMES, SHOPS } from "./sample.ts";
import { seedKiosk } from "./seed-kiosk.ts";
import { seedShops } from "./seed-shop.ts";

const SETTING = "demo";
const stateSchema = z.object({ complete: z.boolean(), databases: z.record(z.string(), z.string()) });
type DemoState = z.infer<typeof stateSchema>;

export interface DemoOptions {
  /** Superuser's URL of the embedded server, over its socket. */
  ownerUrl: string;
  dataFolder: string;
  /** Make the data anew even if it is there. */
  reset: boolean;
  progress: (text: string) => void;
}

/**
 * Makes the sample company on the embedded server, registers it and asks for a backup of each of its databases,
 * by the same verbs as everybody. Returns false when it was there already and is left as it is.
 */
export async function setUpDemo(ctx: Ctx, options: DemoOptions): Promise<boolean> {
  const state = await readState(ctx);
  if (state.complete && !options.reset) return false;
  const socketDir = new URL(options.ownerUrl).searchParams.get("host");
  if (!socketDir)
    throw new HoldfastError("refused", "The demo needs the embedded Postgres.", {
      remedy: "Unset DATABASE_URL.",
    });
  await refuseWhileWorking(ctx, state);

  options.progress("making the data");
  const password = await seedShops(options.ownerUrl, SHOPS);
  const kioskFile = path.join(options.dataFolder, "demo", KIOSK.file);
  seedKiosk(kioskFile);

  options.progress("registering");
  const port = Number(new URL(options.ownerUrl).port);
  const known = state.databases;
  const databases = await registerSample(ctx, { socketDir, port, password, kioskFile, known });
  await writeState(ctx, { complete: false, databases });
  options.progress("asking for backups");
  for (const name of SAMPLE_NAMES) await runBackup(ctx, { database: name });
  await writeState(ctx, { complete: true, databases });
  return true;
}

/**
 * Waits until the newest backup of each sample database has a verdict or has failed. Returns a sentence part per
 * database; reports how many are done on the way.
 */
export async function waitForProofs(
  ctx: Ctx,
  options: { progress: (text: string) => void; timeoutMs: number },
): Promise<{ name: string; outcome: string }[]> {
  const deadline = ctx.clock.now().getTime() + options.timeoutMs;
  while (true) {
    const outcomes = await Promise.all(SAMPLE_NAMES.map((name) => newestOutcome(ctx, name)));
    const done = outcomes.filter(({ outcome }) => outcome !== null).length;
    options.progress(`${done} of ${SAMPLE_NAMES.length} done`);
    if (done === SAMPLE_NAMES.length || ctx.clock.now().getTime() > deadline) {
      return outcomes.map(({ name, outcome }) => ({ name, outcome: outcome ?? "still running" }));
    }
    await delay(500);
  }
}

async function newestOutcome(ctx: Ctx, name: string): Promise<{ name: string; outcome: string | null }> {
  const backup = await ctx.db.backup.findFirst({
    where: { database: { name } },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
  });
  if (!backup) return { name, outcome: null };
  const { proofVerdict, proofReason, state, reason } = backup;
  if (proofVerdict)
    return { name, outcome: proofVerdict === "proven" ? "proven" : `${proofVerdict}: ${proofReason}` };
  const ended = state === "failed" || state === "cancelled" || state === "interrupted";
  return { name, outcome: ended ? `${state}: ${reason}` : null };
}

/** Dropping a database under a running backup would only make a failed one. */
async function refuseWhileWorking(ctx: Ctx, state: DemoState): Promise<void> {
  const active = await ctx.db.operation.count({
    where: {
      databaseId: { in: Object.values(state.databases) },
      state: { in: ["queued", "running", "cancelling"] },
    },
  });
  if (active === 0) return;
  throw new HoldfastError("conflict", "An operation on the demo's databases is waiting or running.", {
    remedy: "Wait for its end, or cancel it, under Operations.",
  });
}

async function readState(ctx: Ctx): Promise<DemoState> {
  const row = await ctx.db.setting.findUnique({ where: { key: SETTING } });
  return row ? stateSchema.parse(row.value) : { complete: false, databases: {} };
}

async function writeState(ctx: Ctx, value: DemoState): Promise<void> {
  await ctx.db.setting.upsert({
    where: { key: SETTING },
    create: { key: SETTING, value },
    update: { value },
  });
}
