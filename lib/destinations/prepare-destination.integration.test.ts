import { existsSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { BackupInstall } from "../backups/testing/install.ts";
import { createBackupInstall } from "../backups/testing/install.ts";
import { makeBackup, makeDatabase } from "../databases/testing/make-database.ts";
import { newId } from "../ids.ts";
import type { Claim } from "../operations/claim.ts";
import { ClaimLost } from "../operations/claim.ts";
import { makeRun } from "../operations/run.ts";
import { RunRecorder } from "../operations/run-recorder.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { prepareDestination } from "./prepare-destination.ts";

let install: BackupInstall;
beforeAll(async () => {
  install = await createBackupInstall();
});
afterAll(() => install.cleanUp());

/** The run of an attempt at an operation whose newest attempt is the second. */
async function attempt(number: number, operationId: string, workerId: string) {
  const { ctx } = install;
  const claim = { operationId, attempt: number, workerId } as Claim;
  const recorder = new RunRecorder(ctx.db, claim, ctx.log);
  const { signal } = new AbortController();
  return makeRun({ claim, payload: {}, ctx, signal, recorder, waitFor: () => Promise.reject(new Error()) });
}

it("writes nothing for an attempt that lost its claim, and all of it for the one that has it", async () => {
  const { ctx } = install;
  const [id, workerId] = [newId(), newId()];
  await ctx.db.operation.create({
    data: {
      id,
      rootId: id,
      kind: "backup.run",
      title: "Back up shop",
      pool: "default",
      state: "running",
      attempt: 2,
      maxAttempts: 2,
      workerId,
      payload: {},
      actorKind: "system",
      actorName: "test",
      trigger: "system",
    },
  });
  const keyring = await processKeyring();
  const local = await ctx.db.destination.findUniqueOrThrow({ where: { name: "local" } });
  const checkedAt = async () =>
    (await ctx.db.destination.findUniqueOrThrow({ where: { id: local.id } })).checkedAt;
  expect(await checkedAt()).toBeNull();
  // A first backup that failed before anything was written leaves the destination to be made still.
  const database = await makeDatabase(ctx.db, { name: "shop" });
  const failed = await makeBackup(ctx.db, database.id, { state: "failed" });
  await ctx.db.copy.updateMany({ where: { backupId: failed.id }, data: { state: "failed" } });
  expect(await ctx.db.copy.count({ where: { destinationId: local.id, state: "failed" } })).toBe(1);

  const lost = await attempt(1, id, workerId);
  await expect(prepareDestination(ctx, keyring, local.id, lost.save)).rejects.toBeInstanceOf(ClaimLost);
  expect(await checkedAt()).toBeNull();

  const holds = await attempt(2, id, workerId);
  await prepareDestination(ctx, keyring, local.id, holds.save);
  expect(await checkedAt()).not.toBeNull();
  expect(existsSync(path.join(install.data, "backups", ".holdfast-destination.json"))).toBe(true);
});
