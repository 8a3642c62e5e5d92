import { cp, mkdir, mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import type { Access } from "../../engines/engine.ts";
import { newId } from "../../ids.ts";
import { storageFor } from "../../storage/registry.ts";
import { runDump } from "../dump.ts";
import type { DestinationSpec, DumpResult, DumpSpec, RestoreSpec, VerifySpec } from "../schema.ts";
import { recordingIo } from "./recording-io.ts";

/** What the worker would give a transfer: folders, keys and prepared destinations, all real. */
export interface TransferSetUp {
  folder: string;
  installId: string;
  identity: string;
  otherIdentity: string;
  addDestination(name: string, folder?: string): Promise<DestinationSpec & { folder: string }>;
  dumpSpec(access: Access, destinations: DestinationSpec[], more?: Partial<DumpSpec>): Promise<DumpSpec>;
  /** Dumps and returns what verify and restore need. */
  dump(access: Access, destination: DestinationSpec, more?: Partial<DumpSpec>): Promise<StoredBackup>;
  /** A copy of a stored backup that a test may damage. */
  damaged(stored: StoredBackup, damage: (folder: string) => Promise<void>): Promise<StoredBackup>;
  verifySpec(stored: StoredBackup, more?: Partial<VerifySpec>): Promise<VerifySpec>;
  restoreSpec(
    stored: StoredBackup,
    more: Pick<RestoreSpec, "on" | "target"> & Partial<RestoreSpec>,
  ): Promise<RestoreSpec>;
  cleanUp(): Promise<void>;
}

export interface StoredBackup {
  spec: DumpSpec;
  result: DumpResult;
  destination: DestinationSpec;
  /** Absolute folder of the backup, for local destinations. */
  folder: string;
}

export async function setUpTransfers(engine: DumpSpec["engine"]): Promise<TransferSetUp> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-transfer-"));
  const installId = newId();
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const common = async () => {
    const operationId = newId();
    const tempDir = join(folder, `work-${operationId}`);
    await mkdir(tempDir, { mode: 0o700 });
    return { operationId, attempt: 1, engine, tempDir, hidden: [folder] };
  };
  const setUp: TransferSetUp = {
    folder,
    installId,
    identity,
    otherIdentity: await generateX25519Identity(),
    async addDestination(name, place = join(folder, name)) {
      const spec = { id: newId(), name, kind: "local", config: { folder: place } };
      await storageFor({ ...spec, installId }).init();
      return { ...spec, folder: place };
    },
    async dumpSpec(access, destinations, more = {}) {
      const backupId = newId();
      return {
        ...(await common()),
        task: "dump",
        access,
        serverIdentity: null,
        destinations,
        path: `${installId}/shop/20270101T000000Z-${backupId}`,
        recipients: [recipient],
        lockWaitMs: 5000,
        digestBudgetMs: 60_000,
        manifest: {
          backupId,
          installId,
          holdfastVersion: "0.1.0",
          database: { name: "shop", application: "shop", environment: "production" },
          auditHead: { seq: "7", hash: "abc" },
        },
        ...more,
      };
    },
    async dump(access, destination, more = {}) {
      const spec = await setUp.dumpSpec(access, [destination], more);
      const result = await runDump(spec, recordingIo());
      return { spec, result, destination, folder: join(String(destination.config.folder), spec.path) };
    },
    async damaged(stored, damage) {
      const place = await setUp.addDestination(`damaged-${newId()}`);
      const folder = join(place.folder, stored.spec.path);
      await cp(stored.folder, folder, { recursive: true });
      await damage(folder);
      return { ...stored, destination: place, folder };
    },
    async verifySpec({ spec, result, destination }, more = {}) {
      return {
        ...(await common()),
        task: "verify",
        destination,
        installId,
        path: spec.path,
        manifestText: result.manifestText,
        identities: [identity],
        upTo: "restored",
        ...more,
      };
    },
    async restoreSpec({ spec, result, destination }, more) {
      const parts = await common();
      return {
        ...parts,
        task: "restore",
        destination,
        installId,
        path: spec.path,
        manifestText: result.manifestText,
        identities: [identity],
        jobs: 2,
        spoolDir: parts.tempDir,
        ...more,
      };
    },
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  };
  return setUp;
}

/** All files below a folder but the destination's marker, relative. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name !== ".holdfast-destination.json")
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

export async function flipBit(file: string, at: number): Promise<void> {
  const handle = await open(file, "r+");
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
  await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  await handle.close();
}
