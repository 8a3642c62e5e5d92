import { parseEnv } from "../env.ts";
import type { Keyring } from "./keyring.ts";
import { keyFolder, openKeyring } from "./keyring.ts";

let opened: Promise<Keyring> | undefined;

/** The keyring of this process, from its settings. Never makes a key: the start has done that. */
export async function processKeyring(): Promise<Keyring> {
  opened ??= openKeyring({ folder: keyFolder(parseEnv(process.env)), mayCreate: false });
  try {
    return await opened;
  } catch (error) {
    opened = undefined;
    throw error;
  }
}
