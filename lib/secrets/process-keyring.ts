import type { Keyring } from "./keyring.ts";
import { keyFolder, openKeyring } from "./keyring.ts";

const opened = new Map<string, Promise<Keyring>>();

/**
 * The keyring that this process's settings name, for verbs. Never makes a key: the start has done that. Throws
 * `refused` when one is missing, and looks again at the next call.
 */
export async function processKeyring(): Promise<Keyring> {
  const { HOLDFAST_KEYS, HOLDFAST_DATA } = process.env;
  const folder = keyFolder({
    HOLDFAST_KEYS: HOLDFAST_KEYS || undefined,
    HOLDFAST_DATA: HOLDFAST_DATA || "./data",
  });
  const keyring = opened.get(folder) ?? openKeyring({ folder, mayCreate: false });
  opened.set(folder, keyring);
  try {
    return await keyring;
  } catch (error) {
    opened.delete(folder);
    throw error;
  }
}
