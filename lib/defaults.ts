import path from "node:path";
import { emitAudit } from "./audit/emit.ts";
import type { Ctx } from "./context.ts";
import type { Tx } from "./db/client.ts";
import { newId } from "./ids.ts";

const DEFAULTS_LOCK = 7_230_003;

const ENVIRONMENTS = [
  { name: "development", protected: false },
  { name: "staging", protected: false },
  { name: "production", protected: true },
];

/**
 * What a first start makes: the install with its id, the three usual environments and the destination `local` in
 * the data folder. Does nothing on an install that has been through it, so that what was deleted stays deleted.
 */
export async function ensureDefaults(ctx: Ctx, options: { dataFolder: string }): Promise<void> {
  await ctx.db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${DEFAULTS_LOCK})`;
    if ((await tx.environment.count()) > 0 || (await tx.setting.count({ where: { key: "defaults" } })) > 0)
      return;
    const id = await ensureInstall(tx, ctx);
    await tx.environment.createMany({
      data: ENVIRONMENTS.map((environment, index) => ({ id: newId(), position: index + 1, ...environment })),
    });
    const folder = path.join(path.resolve(options.dataFolder), "backups");
    await tx.destination.createMany({
      data: [{ id: newId(), name: "local", kind: "local", config: { folder } }],
      skipDuplicates: true,
    });
    await tx.setting.create({ data: { key: "defaults", value: { at: ctx.clock.now().toISOString() } } });
    await emitAudit(tx, ctx, {
      action: "install.create",
      object: { kind: "install", id },
      after: { environments: ENVIRONMENTS.map((environment) => environment.name), destination: folder },
    });
  });
}

async function ensureInstall(tx: Tx, ctx: Ctx): Promise<string> {
  await tx.install.createMany({ data: [{ id: newId(), createdAt: ctx.clock.now() }], skipDuplicates: true });
  return (await tx.install.findFirstOrThrow()).id;
}
