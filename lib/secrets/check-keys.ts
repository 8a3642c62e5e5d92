import { createHmac } from "node:crypto";
import type { Db, Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { readKeyFiles } from "./key-files.ts";
import type { Keyring } from "./keyring.ts";

/** Advisory lock under which keys are registered and rotated. */
const KEYS_LOCK = 7_230_001;

interface HeldKey {
  keyId: string;
  kind: "secret" | "audit" | "identity";
  check: string;
}

/** A value that tells one secret key from another and tells nothing of the key. */
function checkValue(key: Buffer): string {
  return createHmac("sha256", key).update("holdfast key check 1").digest("base64url");
}

/** The keys in the folder as the database knows them: an identity is known by its recipient. */
async function heldKeys(keyring: Keyring): Promise<HeldKey[]> {
  const files = readKeyFiles(keyring.folder);
  const recipients = await keyring.identityRecipients();
  return [
    ...[...files.secrets].map(([keyId, key]) => ({ keyId, kind: "secret" as const, check: checkValue(key) })),
    { keyId: "audit.key", kind: "audit", check: checkValue(keyring.auditKey) },
    ...recipients.map((keyId) => ({ keyId, kind: "identity" as const, check: keyId })),
  ];
}

export async function lockKeys(tx: Tx): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${KEYS_LOCK})`;
}

/**
 * Compares the key folder with what this install was set up with; the first call registers it. Every process
 * calls this before it does anything else. Throws `refused`, with what to do, when a key that is still needed
 * is missing or another one; the process must not start then. Keys that are new in the folder are registered.
 */
export async function checkKeys(db: Db, keyring: Keyring): Promise<void> {
  await db.$transaction(async (tx) => {
    await lockKeys(tx);
    const known = await tx.keyCheck.findMany();
    const held = await heldKeys(keyring);
    const problems = [...otherKeys(known, held), ...(await missingKeys(tx, known, held))];
    if (problems.length > 0) throw refusal(keyring.folder, problems);
    await registerKeys(tx, held);
  });
}

type KnownKey = { keyId: string; kind: string; check: string; retiredAt: Date | null };

function otherKeys(known: KnownKey[], held: HeldKey[]): string[] {
  return held
    .filter((key) => known.some((row) => row.keyId === key.keyId && row.check !== key.check))
    .map((key) => `${nameOf(key)} is not the one that this install was set up with`);
}

async function missingKeys(tx: Tx, known: KnownKey[], held: HeldKey[]): Promise<string[]> {
  const has = (keyId: string) => held.some((key) => key.keyId === keyId);
  const missing = known.filter((row) => row.retiredAt === null && !has(row.keyId));
  const used = (await sealingKeyIds(tx)).filter((keyId) => !has(keyId));
  const names = [...missing.map(nameOf), ...used.map((keyId) => nameOf({ keyId, kind: "secret" }))];
  return [...new Set(names)].map((name) => `${name} is missing`);
}

/** Ids of the keys that stored secrets are sealed with. */
export async function sealingKeyIds(tx: Tx): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT DISTINCT split_part(sealed, '.', 2) AS id FROM (
      SELECT secret_sealed AS sealed FROM database WHERE secret_sealed IS NOT NULL
      UNION ALL SELECT secret_sealed FROM destination WHERE secret_sealed IS NOT NULL
      UNION ALL SELECT totp_secret_sealed FROM user_account WHERE totp_secret_sealed IS NOT NULL) AS s`;
  return rows.map((row) => row.id);
}

/** Makes rows for keys that are new; the newest of each kind is the active one. */
export async function registerKeys(tx: Tx, held: HeldKey[]): Promise<void> {
  await tx.keyCheck.createMany({ data: held, skipDuplicates: true });
  const newest = [
    held.filter((key) => key.kind === "secret").at(-1),
    held.find((key) => key.kind === "identity"),
    held.find((key) => key.kind === "audit"),
  ];
  const active = newest.flatMap((key) => (key ? [key.keyId] : []));
  await tx.keyCheck.updateMany({ where: { keyId: { in: active } }, data: { active: true, retiredAt: null } });
  await tx.keyCheck.updateMany({ where: { keyId: { notIn: active } }, data: { active: false } });
}

/** Registers what the folder holds now, in the caller's transaction and under lockKeys. */
export async function registerFolder(tx: Tx, keyring: Keyring): Promise<void> {
  await registerKeys(tx, await heldKeys(keyring));
}

function nameOf(key: { keyId: string; kind: string }): string {
  if (key.kind === "secret") return `secret-${key.keyId}.key`;
  if (key.kind === "audit") return "audit.key";
  return `the identity of ${key.keyId} in identity.txt`;
}

function refusal(folder: string, problems: string[]): HoldfastError {
  return new HoldfastError(
    "refused",
    `The keys in ${folder} don't fit this install: ${problems.join("; ")}.`,
    {
      remedy:
        `Put the original key files back into ${folder} (from your copy, or another machine of this install) ` +
        "and start again. Without them stored passwords and encrypted backups can't be read; Holdfast never makes new ones in their place.",
    },
  );
}
