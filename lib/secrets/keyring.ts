import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import path from "node:path";
import { identityToRecipient } from "age-encryption";
import type { Db } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import type { KeyFiles } from "./key-files.ts";
import {
  AUDIT_FILE,
  createMissingKeys,
  guardPermissions,
  IDENTITY_FILE,
  readKeyFiles,
  secretFileName,
} from "./key-files.ts";
import { readRecoveryKits, recoveryRecipients } from "./recovery-kits.ts";

export interface KeyringOptions {
  folder: string;
  /** Makes each kind of key that is missing. Only ever true on the first start of an embedded install. */
  mayCreate: boolean;
  now?: Date;
  /** Gets one sentence for each permission that was repaired. */
  warn?: (message: string) => void;
}

/**
 * The keys of this install. The folder is read at each use: what a rotation in another process added is seen
 * at once, and a file that is gone is an error at once, never a silent loss.
 */
export interface Keyring {
  readonly folder: string;
  /** Id of the newest secret key: the one that seals. */
  readonly secretKeyId: string;
  /** Ids of all secret keys, oldest first. */
  readonly secretKeyIds: string[];
  /** HMAC key of the audit chain, as it was when the keyring was opened. */
  readonly auditKey: Buffer;
  /** AES-256-GCM; `aad` names the row that the secret belongs to, and must be given again to open it. */
  seal(plain: string, aad: string): string;
  /** Throws `unavailable` when the key is not here, `refused` when text, key or `aad` are not the sealed ones. */
  open(sealed: string, aad: string): string;
  /** age identities, newest first. */
  identities(): string[];
  /** The age recipient of each identity, newest first. */
  identityRecipients(): Promise<string[]>;
  /**
   * Whom new backups are encrypted to: the newest identity that this install is registered with, and the
   * recovery kits. Throws `refused` when the registered identity is not in the folder.
   */
  recipients(db: Pick<Db, "keyCheck" | "setting">): Promise<{ server: string; recovery: string[] }>;
}

/** Folder of the key files: HOLDFAST_KEYS, or `keys` in the data folder. */
export function keyFolder(env: { HOLDFAST_KEYS?: string | undefined; HOLDFAST_DATA: string }): string {
  return path.resolve(env.HOLDFAST_KEYS ?? path.join(env.HOLDFAST_DATA, "keys"));
}

/** Opens the key folder. Throws `refused`, with what to do, when a key is missing and may not be made. */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const { folder } = options;
  if (options.mayCreate) await createMissingKeys(folder, options.now ?? new Date());
  const { audit } = read(folder);
  await guardPermissions(folder, options.warn ?? (() => undefined));

  return {
    folder,
    auditKey: audit,
    get secretKeyId() {
      return newestId(read(folder));
    },
    get secretKeyIds() {
      return [...read(folder).secrets.keys()];
    },
    seal(plain, aad) {
      const files = read(folder);
      const id = newestId(files);
      return seal(secretKey(folder, files, id), id, plain, aad);
    },
    open(sealed, aad) {
      return open(secretKey(folder, read(folder), sealedKeyId(sealed)), sealed, aad);
    },
    identities: () => read(folder).identities,
    identityRecipients: () => recipientsOf(read(folder).identities),
    async recipients(db) {
      const known = await db.keyCheck.findMany({ where: { kind: "identity", retiredAt: null } });
      const registered = new Set(known.map((row) => row.keyId));
      const server = (await recipientsOf(read(folder).identities)).find((one) => registered.has(one));
      if (!server) throw unregistered(folder);
      const kits = await readRecoveryKits(db);
      return { server, recovery: recoveryRecipients(kits) };
    },
  };
}

async function recipientsOf(identities: string[]): Promise<string[]> {
  return await Promise.all(identities.map((identity) => identityToRecipient(identity)));
}

function newestId(files: KeyFiles): string {
  return [...files.secrets.keys()].at(-1) ?? "";
}

function secretKey(folder: string, files: KeyFiles, id: string): Buffer {
  const key = files.secrets.get(id);
  if (key) return key;
  throw new HoldfastError("unavailable", `This was sealed with the key ${id}, which is not in ${folder}.`, {
    remedy: `Copy ${secretFileName(id)} into the key folder of this process.`,
  });
}

function unregistered(folder: string): HoldfastError {
  return new HoldfastError(
    "refused",
    `No identity of ${folder} is one that this install is registered with.`,
    {
      remedy: `Put back the ${IDENTITY_FILE} that this install was set up with, and start again.`,
    },
  );
}

/** The id of the key that a sealed text was made with. */
export function sealedKeyId(sealed: string): string {
  const [version, id] = sealed.split(".");
  if (version !== "v1" || !id) {
    throw new HoldfastError("refused", "This is not a sealed secret of a kind that this version knows.");
  }
  return id;
}

function read(folder: string): KeyFiles & { audit: Buffer } {
  const files = readKeyFiles(folder);
  const { audit } = files;
  if (!audit || files.secrets.size === 0 || files.identities.length === 0) throw missing(folder, files);
  return { ...files, audit };
}

function missing(folder: string, files: KeyFiles): HoldfastError {
  const names = [
    ...(files.secrets.size === 0 ? ["secret-<id>.key"] : []),
    ...(files.audit ? [] : [AUDIT_FILE]),
    ...(files.identities.length === 0 ? [IDENTITY_FILE] : []),
  ];
  return new HoldfastError("refused", `The key folder ${folder} lacks ${names.join(", ")}.`, {
    remedy:
      "Put the key files back from your copy. On a new install with DATABASE_URL make them once: " +
      "`openssl rand -base64 32` for secret-1.key and audit.key, `age-keygen` for identity.txt; mode 0600.",
  });
}

function seal(key: Buffer, keyId: string, plain: string, aad: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(`v1.${keyId}.${aad}`, "utf8"));
  const box = Buffer.concat([cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `v1.${keyId}.${nonce.toString("base64url")}.${box.toString("base64url")}`;
}

function open(key: Buffer, sealed: string, aad: string): string {
  const [, keyId, nonceText, boxText] = sealed.split(".");
  const nonce = Buffer.from(nonceText ?? "", "base64url");
  const box = Buffer.from(boxText ?? "", "base64url");
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 });
    decipher.setAAD(Buffer.from(`v1.${keyId}.${aad}`, "utf8"));
    decipher.setAuthTag(box.subarray(-16));
    return Buffer.concat([decipher.update(box.subarray(0, -16)), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw new HoldfastError("refused", "A sealed secret does not open: it, or its key, was altered.", {
      remedy: "Put back the original key file, or enter the secret again.",
      cause,
    });
  }
}
