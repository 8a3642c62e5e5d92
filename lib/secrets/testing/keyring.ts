import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Db } from "../../db/client.ts";
import type { Keyring } from "../keyring.ts";
import { startKeyring } from "../start-keyring.ts";

export interface TestKeyring {
  keyring: Keyring;
  remove(): Promise<void>;
}

/**
 * New keys in a folder of their own, registered with the given metadata database, and named by HOLDFAST_KEYS, so
 * that verbs find them.
 */
export async function createTestKeyring(db: Db): Promise<TestKeyring> {
  const root = await mkdtemp(path.join(tmpdir(), "hf-keys-"));
  const folder = path.join(root, "keys");
  const keyring = await startKeyring(db, { folder, embedded: true });
  process.env.HOLDFAST_KEYS = folder;
  return { keyring, remove: () => rm(root, { recursive: true, force: true }) };
}
