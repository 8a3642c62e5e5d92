import type { Db, Tx } from "../db/client.ts";
import { checkKeys } from "./check-keys.ts";
import type { Keyring } from "./keyring.ts";
import { openKeyring } from "./keyring.ts";

const KEYS_MADE_HERE = "keys-made-here";

/**
 * Opens and checks the keys of a starting process, after migrations. Keys are made only when the install is
 * embedded and its database was never set up with any; otherwise what is missing refuses the start.
 */
export async function startKeyring(
  db: Db,
  options: { folder: string; embedded: boolean; warn?: (message: string) => void },
): Promise<Keyring> {
  const mayCreate = options.embedded && (await db.keyCheck.count()) === 0;
  const { folder, warn } = options;
  const keyring = await openKeyring({ folder, mayCreate, ...(warn ? { warn } : {}) });
  await checkKeys(db, keyring);
  if (mayCreate) {
    await db.setting.createMany({ data: [{ key: KEYS_MADE_HERE, value: true }], skipDuplicates: true });
  }
  return keyring;
}

/** Whether Holdfast itself made this install's keys, and so may make the next ones when they are rotated. */
export async function keysMadeHere(db: Pick<Tx, "setting">): Promise<boolean> {
  return (await db.setting.count({ where: { key: KEYS_MADE_HERE } })) > 0;
}
