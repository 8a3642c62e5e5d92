import { totpAad } from "../auth/second-factor.ts";
import type { Tx } from "../db/client.ts";
import type { Keyring } from "../secrets/keyring.ts";
import { sealedKeyId } from "../secrets/keyring.ts";
import { databaseAad, destinationAad } from "../secrets/sealed-columns.ts";

/** Seals every stored secret with the newest key. Returns how many were sealed with another one. */
export async function resealAll(tx: Tx, keyring: Keyring): Promise<number> {
  const newest = keyring.secretKeyId;
  // Rows that somebody is changing right now are waited for: their secret may be sealed with the old key.
  await tx.$executeRaw`LOCK TABLE database, destination, user_account IN SHARE ROW EXCLUSIVE MODE`;
  const renew = (sealed: string, aad: string) =>
    sealedKeyId(sealed) === newest ? null : keyring.seal(keyring.open(sealed, aad), aad);
  let count = 0;
  for (const { id, secretSealed } of await tx.database.findMany({ where: { secretSealed: { not: null } } })) {
    const renewed = secretSealed && renew(secretSealed, databaseAad(id));
    if (!renewed) continue;
    await tx.database.update({ where: { id }, data: { secretSealed: renewed } });
    count += 1;
  }
  for (const { id, secretSealed } of await tx.destination.findMany({
    where: { secretSealed: { not: null } },
  })) {
    const renewed = secretSealed && renew(secretSealed, destinationAad(id));
    if (!renewed) continue;
    await tx.destination.update({ where: { id }, data: { secretSealed: renewed } });
    count += 1;
  }
  for (const { id, totpSecretSealed } of await tx.user.findMany({
    where: { totpSecretSealed: { not: null } },
  })) {
    const renewed = totpSecretSealed && renew(totpSecretSealed, totpAad(id));
    if (!renewed) continue;
    await tx.user.update({ where: { id }, data: { totpSecretSealed: renewed } });
    count += 1;
  }
  return count;
}
