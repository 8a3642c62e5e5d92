import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { chmod, link, lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { HoldfastError } from "../errors.ts";

const SECRET_FILE = /^secret-([A-Za-z0-9-]{1,64})\.key$/;
export const AUDIT_FILE = "audit.key";
export const IDENTITY_FILE = "identity.txt";

/** What the key folder holds. Identities are newest first; secret keys are keyed by id, oldest first. */
export interface KeyFiles {
  secrets: Map<string, Buffer>;
  audit: Buffer | null;
  identities: string[];
}

/**
 * A key id: 12 hex digits of milliseconds, 8 random ones. The last id in order is the active key, so the new
 * one is put behind an existing id that an operator chose and that would sort after it.
 */
export function newSecretKeyId(now: Date, newest = ""): string {
  const id = `${now.getTime().toString(16).padStart(12, "0")}${randomBytes(4).toString("hex")}`;
  return id > newest ? id : `${newest.split("-")[0] ?? ""}-${id}`;
}

export function secretFileName(id: string): string {
  return `secret-${id}.key`;
}

/** Reads every key file of the folder; they are few and tiny, so this is done at each use. Throws `refused` for one that is not a key, naming the file. */
export function readKeyFiles(folder: string): KeyFiles {
  const names = namesIn(folder);
  const secrets = new Map<string, Buffer>();
  const ids: string[] = [];
  for (const name of names) {
    const id = SECRET_FILE.exec(name)?.[1];
    if (id) ids.push(id);
  }
  for (const id of ids.sort()) secrets.set(id, readKey(path.join(folder, secretFileName(id))));
  const audit = names.includes(AUDIT_FILE) ? readKey(path.join(folder, AUDIT_FILE)) : null;
  const identities = names.includes(IDENTITY_FILE)
    ? parseIdentities(readText(path.join(folder, IDENTITY_FILE)), path.join(folder, IDENTITY_FILE))
    : [];
  return { secrets, audit, identities };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new HoldfastError("refused", `The key file ${file} can't be read.`, {
      remedy: "Let the user that runs Holdfast own it, with mode 0600.",
      cause,
    });
  }
}

function readKey(file: string): Buffer {
  const key = Buffer.from(readText(file).trim(), "base64url");
  if (key.length !== 32) {
    throw new HoldfastError("refused", `The key file ${file} does not hold a key of 32 bytes in base64.`, {
      remedy: "Put back the original file from your copy of the key folder.",
    });
  }
  return key;
}

/** The secret-key lines of a standard age identity file, newest first, as they stand in the file. */
function parseIdentities(text: string, file: string): string[] {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length === 0 || lines.some((line) => !/^AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]+$/.test(line))) {
    throw new HoldfastError("refused", `The key file ${file} is not an age identity file.`, {
      remedy: "Put back the original file from your copy of the key folder.",
    });
  }
  return lines;
}

/** Makes the folder, and each kind of key that it lacks. */
export async function createMissingKeys(folder: string, now: Date): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = readKeyFiles(folder);
  if (found.identities.length === 0) await addIdentity(folder, [], now);
  if (!found.audit) await writeOnce(path.join(folder, AUDIT_FILE), newKeyText());
  if (found.secrets.size === 0) await addSecretKey(folder, now);
}

/** Adds a secret key; it is the active one from now on. Returns its id. */
export async function addSecretKey(folder: string, now: Date): Promise<string> {
  const newest = [...readKeyFiles(folder).secrets.keys()].at(-1);
  const id = newSecretKeyId(now, newest);
  await writeOnce(path.join(folder, secretFileName(id)), newKeyText());
  return id;
}

/** Puts a new identity before the existing ones, in one rename. Returns its recipient. */
export async function addIdentity(folder: string, existing: string[], now: Date): Promise<string> {
  const identity = await generateIdentity();
  await writeIdentities(folder, [identity, ...existing], now);
  return await identityToRecipient(identity);
}

/** Writes a standard age identity file, newest first, in one rename. */
export async function writeIdentities(folder: string, identities: string[], now: Date): Promise<void> {
  const lines = [`# written: ${now.toISOString()}`];
  for (const identity of identities) {
    lines.push(`# public key: ${await identityToRecipient(identity)}`, identity);
  }
  const file = path.join(folder, IDENTITY_FILE);
  const temporary = await writeTemporary(file, `${lines.join("\n")}\n`);
  await rename(temporary, file);
  await syncFolder(folder);
}

function newKeyText(): string {
  return `${randomBytes(32).toString("base64url")}\n`;
}

/** Whole or not at all, and never over an existing file. */
async function writeOnce(file: string, text: string): Promise<void> {
  const temporary = await writeTemporary(file, text);
  try {
    await link(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(path.dirname(file));
}

async function writeTemporary(file: string, text: string): Promise<string> {
  const temporary = path.join(
    path.dirname(file),
    `.${path.basename(file)}.${randomBytes(6).toString("hex")}`,
  );
  const handle = await open(temporary, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return temporary;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Key files are for their owner alone. What we own is repaired, and told through `warn`; what another user
 * owns may at most be readable by a group of ours (mounted secrets), anything wider is `refused`.
 */
export async function guardPermissions(folder: string, warn: (message: string) => void): Promise<void> {
  const names = (await readdir(folder)).filter(
    (name) => SECRET_FILE.test(name) || name === AUDIT_FILE || name === IDENTITY_FILE,
  );
  await guard(folder, 0o700, warn);
  for (const name of names) await guard(path.join(folder, name), 0o600, warn);
}

async function guard(file: string, wanted: number, warn: (message: string) => void): Promise<void> {
  const found = await stat(file);
  const mode = found.mode & 0o777;
  if ((mode & 0o077) === 0) return;
  const ours = found.uid === process.getuid?.() && !(await lstat(file)).isSymbolicLink();
  if (ours) {
    await chmod(file, wanted);
    warn(`${file} was open to others (mode 0${mode.toString(8)}); it is 0${wanted.toString(8)} now.`);
    return;
  }
  if ((mode & 0o027) === 0) return;
  if (found.isDirectory() && (mode & 0o022) === 0) return;
  throw new HoldfastError("refused", `${file} is open to other users (mode 0${mode.toString(8)}).`, {
    remedy: `Run: chmod 0${wanted.toString(8)} ${file}`,
  });
}
