import { access } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { listBackups } from "../../lib/backups/list-backups.ts";
import type { BackupDto } from "../../lib/backups/schema.ts";
import { getOverview } from "../../lib/overview/get-overview.ts";
import type { Overview } from "../../lib/overview/schema.ts";
import type { Install } from "./install.ts";

/** How the Overview speaks of one database. */
export async function promiseOf({ ctx }: Install, database: string) {
  const overview = await getOverview(ctx, {});
  const found = overview.databases.find((one) => one.name === database);
  if (!found) throw new Error(`the Overview has no ${database}`);
  return found.recoverable;
}

/** What the Overview asks a person to look at because of one database. */
export async function attentionFor({ ctx }: Install, database: string): Promise<Overview["attention"]> {
  const { attention } = await getOverview(ctx, {});
  return attention.filter(({ title }) => title.startsWith(`${database}:`));
}

/** The backup is in this state for this reason, and nothing of it looks like something to restore from. */
export async function expectNoBackup(
  { ctx }: Install,
  id: string,
  state: "failed" | "cancelled" | "interrupted",
  reason: RegExp,
): Promise<void> {
  const backup = await getBackup(ctx, id);
  expect(backup).toMatchObject({ state, proof: null, proofs: [], artefacts: [], restoreCommands: [] });
  expect(backup.reason).toMatch(reason);
  expect(backup.finishedAt).not.toBeNull();
  for (const copy of backup.copies) expect(copy).toMatchObject({ state: "failed", sizeBytes: null });
  const { items } = await listBackups(ctx, { verdict: "proven", limit: 100 });
  expect(items.map((one) => one.id)).not.toContain(id);
}

/** The last proven backup is what the Overview points to, and its files are all there. */
export async function expectStands(install: Install, good: BackupDto, said?: RegExp): Promise<void> {
  const { ctx } = install;
  const promise = await promiseOf(install, good.database);
  expect(promise).toMatchObject({ state: "warning", href: `/backups/${good.id}` });
  expect(promise.text).toMatch(/^proven/);
  if (said) {
    expect(promise.detail).toMatch(said);
    const told = await attentionFor(install, good.database);
    expect(told.map(({ detail }) => detail).join("\n")).toMatch(said);
  }
  const now = await getBackup(ctx, good.id);
  expect(now).toMatchObject({ state: "complete", proof: { id: good.proof?.id, verdict: "proven" } });
  expect(now.lastProvenBackup?.id).toBe(good.id);
  for (const copy of now.copies) {
    expect(copy.state).toBe("stored");
    const { config } = await ctx.db.destination.findUniqueOrThrow({ where: { name: copy.destination } });
    await access(path.join((config as { folder: string }).folder, copy.path, "manifest.json"));
  }
}
