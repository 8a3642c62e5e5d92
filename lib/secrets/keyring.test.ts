import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Decrypter, Encrypter } from "age-encryption";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addIdentity, addSecretKey, newSecretKeyId, secretFileName } from "./key-files.ts";
import { openKeyring, sealedKeyId } from "./keyring.ts";

let folder: string;
beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), "hf-keyring-")), "keys");
});
afterEach(async () => {
  await rm(path.dirname(folder), { recursive: true, force: true });
});

test("makes each kind of key once, for the owner alone", async () => {
  const first = await openKeyring({ folder, mayCreate: true });
  const again = await openKeyring({ folder, mayCreate: true });
  expect(again.secretKeyIds).toEqual(first.secretKeyIds);
  expect(again.auditKey.equals(first.auditKey)).toBe(true);
  expect(again.identities()).toEqual(first.identities());
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  const names = await readdir(folder);
  expect(names.sort()).toEqual(["audit.key", "identity.txt", secretFileName(first.secretKeyId)].sort());
  for (const name of names) expect((await stat(path.join(folder, name))).mode & 0o777).toBe(0o600);
});

test("without leave to make keys, a missing one refuses and says which", async () => {
  await expect(openKeyring({ folder, mayCreate: false })).rejects.toMatchObject({
    code: "refused",
    message: expect.stringContaining("secret-<id>.key, audit.key, identity.txt"),
  });
  await openKeyring({ folder, mayCreate: true });
  await rm(path.join(folder, "audit.key"));
  await expect(openKeyring({ folder, mayCreate: false })).rejects.toThrow(/lacks audit\.key/);
  expect(await readdir(folder)).not.toContain("audit.key");
});

test("opens only what was sealed, with the same aad and the same key", async () => {
  const keyring = await openKeyring({ folder, mayCreate: true });
  const sealed = keyring.seal("pässword", "database:1");
  expect(sealed).toMatch(/^v1\.[A-Za-z0-9-]+\.[\w-]+\.[\w-]+$/);
  expect(sealed).not.toContain("ssword");
  expect(sealedKeyId(sealed)).toBe(keyring.secretKeyId);
  expect(keyring.open(sealed, "database:1")).toBe("pässword");
  expect(keyring.seal("pässword", "database:1")).not.toBe(sealed);
  expect(() => keyring.open(sealed, "database:2")).toThrow(/does not open/);
  const altered = sealed.slice(0, -2) + (sealed.endsWith("AA") ? "BB" : "AA");
  expect(() => keyring.open(altered, "database:1")).toThrow(/does not open/);
  expect(() => keyring.open("plain", "database:1")).toThrow(/not a sealed secret/);
  expect(keyring.open(keyring.seal("", "x"), "x")).toBe("");
});

test("a key added by another process is used at once, and the older ones still open", async () => {
  const keyring = await openKeyring({ folder, mayCreate: true });
  const before = keyring.seal("a", "x");
  const id = await addSecretKey(folder, new Date(Date.now() + 1000));
  expect(keyring.secretKeyId).toBe(id);
  expect(keyring.open(before, "x")).toBe("a");
  expect(sealedKeyId(keyring.seal("b", "x"))).toBe(id);
});

test("a secret key that vanished while running is an error that names it", async () => {
  const keyring = await openKeyring({ folder, mayCreate: true });
  const sealed = keyring.seal("a", "x");
  const old = keyring.secretKeyId;
  await addSecretKey(folder, new Date(Date.now() + 1000));
  await rm(path.join(folder, secretFileName(old)));
  expect(() => keyring.open(sealed, "x")).toThrow(new RegExp(`key ${old}, which is not in`));
  await rm(path.join(folder, "identity.txt"));
  expect(() => keyring.identities()).toThrow(/lacks identity\.txt/);
});

test("a new key id sorts behind ids that operators chose", () => {
  const id = newSecretKeyId(new Date(), "main");
  expect(id > "main").toBe(true);
  expect(newSecretKeyId(new Date(Date.now() + 5), id) > id).toBe(true);
  expect(newSecretKeyId(new Date(), "0000")).toMatch(/^[0-9a-f]{20}$/);
});

test("the identity file is a standard one: any identity in it opens what its recipient got", async () => {
  const keyring = await openKeyring({ folder, mayCreate: true });
  const [oldRecipient = ""] = await keyring.identityRecipients();
  const newRecipient = await addIdentity(folder, keyring.identities(), new Date());
  expect(await keyring.identityRecipients()).toEqual([newRecipient, oldRecipient]);
  const encrypter = new Encrypter();
  encrypter.addRecipient(oldRecipient);
  const box = await encrypter.encrypt("hello");
  const decrypter = new Decrypter();
  for (const identity of keyring.identities()) decrypter.addIdentity(identity);
  expect(await decrypter.decrypt(box, "text")).toBe("hello");
  const text = await readFile(path.join(folder, "identity.txt"), "utf8");
  expect(text).toContain(`# public key: ${oldRecipient}\nAGE-SECRET-KEY-1`);
});

test("repairs what is open to others, and tells", async () => {
  const keyring = await openKeyring({ folder, mayCreate: true });
  const file = path.join(folder, secretFileName(keyring.secretKeyId));
  await chmod(file, 0o644);
  const warnings: string[] = [];
  await openKeyring({ folder, mayCreate: false, warn: (message) => warnings.push(message) });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(warnings).toEqual([`${file} was open to others (mode 0644); it is 0600 now.`]);
});

test("a file that holds no key is refused by name", async () => {
  await openKeyring({ folder, mayCreate: true });
  await writeFile(path.join(folder, "audit.key"), "short\n");
  await expect(openKeyring({ folder, mayCreate: false })).rejects.toThrow(/audit\.key does not hold a key/);
  await rm(path.join(folder, "audit.key"));
  await openKeyring({ folder, mayCreate: true });
  await writeFile(path.join(folder, "identity.txt"), "not an identity\n");
  await expect(openKeyring({ folder, mayCreate: false })).rejects.toThrow(
    /identity\.txt is not an age identity/,
  );
});
