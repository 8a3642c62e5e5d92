import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { Decrypter, Encrypter } from "age-encryption";
import { afterEach, beforeEach, expect, test } from "vitest";
import { totpAad } from "../auth/second-factor.ts";
import type { Ctx } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import { addIdentity, addSecretKey, secretFileName } from "../secrets/key-files.ts";
import { sealedKeyId } from "../secrets/keyring.ts";
import { databaseAad, destinationAad } from "../secrets/sealed-columns.ts";
import { startKeyring } from "../secrets/start-keyring.ts";
import type { TestKeyring } from "../secrets/testing/keyring.ts";
import { createTestKeyring } from "../secrets/testing/keyring.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { confirmRecoveryKit } from "./confirm-recovery-kit.ts";
import { getKeys } from "./get-keys.ts";
import { makeRecoveryKit } from "./make-recovery-kit.ts";
import { rotateKeys } from "./rotate-keys.ts";

let meta: TestDb;
let keys: TestKeyring;
let ctx: Ctx;
let ids: { database: string; destination: string; user: string };

beforeEach(async () => {
  meta = await createTestDb();
  keys = await createTestKeyring(meta.db);
  ctx = asSystem({ db: meta.db, clock: systemClock, log: createLogger("test", "error") }, "test");
  ids = { database: newId(), destination: newId(), user: newId() };
  const { db } = meta;
  const { keyring } = keys;
  await db.install.create({ data: { id: newId() } });
  const environment = await db.environment.create({ data: { id: newId(), name: "staging", position: 1 } });
  await db.database.create({
    data: {
      id: ids.database,
      name: "shop",
      engine: "postgres",
      application: "shop",
      environmentId: environment.id,
      connection: {},
      secretSealed: keyring.seal("database secret", databaseAad(ids.database)),
    },
  });
  await db.destination.create({
    data: {
      id: ids.destination,
      name: "far",
      kind: "s3",
      offHost: true,
      config: {},
      secretSealed: keyring.seal("destination secret", destinationAad(ids.destination)),
    },
  });
  await db.user.create({
    data: {
      id: ids.user,
      email: "a@example.org",
      name: "A",
      passwordHash: "",
      role: "admin",
      totpSecretSealed: keyring.seal("totp secret", totpAad(ids.user)),
    },
  });
});
afterEach(async () => {
  await meta.drop();
  await keys.remove();
});

async function sealed() {
  const database = await meta.db.database.findUniqueOrThrow({ where: { id: ids.database } });
  const destination = await meta.db.destination.findUniqueOrThrow({ where: { id: ids.destination } });
  const user = await meta.db.user.findUniqueOrThrow({ where: { id: ids.user } });
  return [database.secretSealed ?? "", destination.secretSealed ?? "", user.totpSecretSealed ?? ""] as const;
}

async function opened() {
  const [database, destination, totp] = await sealed();
  return [
    keys.keyring.open(database, databaseAad(ids.database)),
    keys.keyring.open(destination, destinationAad(ids.destination)),
    keys.keyring.open(totp, totpAad(ids.user)),
  ];
}

const SECRETS = ["database secret", "destination secret", "totp secret"];

test("rotation seals every stored secret again and keeps the old identity", async () => {
  const oldKey = keys.keyring.secretKeyId;
  const [oldRecipient = ""] = await keys.keyring.identityRecipients();
  const state = await rotateKeys(ctx);
  const newKey = keys.keyring.secretKeyId;
  expect(newKey).not.toBe(oldKey);
  expect((await sealed()).map(sealedKeyId)).toEqual([newKey, newKey, newKey]);
  expect(await opened()).toEqual(SECRETS);
  expect(state.secretKeys.map((key) => [key.id, key.active])).toEqual([
    [newKey, true],
    [oldKey, false],
  ]);
  const recipients = await keys.keyring.identityRecipients();
  expect(recipients).toHaveLength(2);
  expect(recipients[1]).toBe(oldRecipient);
  expect((await keys.keyring.recipients(meta.db)).server).toBe(recipients[0]);
  const encrypter = new Encrypter();
  encrypter.addRecipient(oldRecipient);
  const old = await encrypter.encrypt("an older backup");
  const decrypter = new Decrypter();
  for (const identity of keys.keyring.identities()) decrypter.addIdentity(identity);
  expect(await decrypter.decrypt(old, "text")).toBe("an older backup");
  const event = await meta.db.auditEvent.findFirst({ where: { action: "key.rotate" } });
  expect(JSON.stringify(event)).not.toMatch(/AGE-SECRET-KEY/);
});

test("after a rotation the old secret key is not needed any more, the old identity is", async () => {
  const oldKey = keys.keyring.secretKeyId;
  await rotateKeys(ctx);
  const { folder } = keys.keyring;
  await rm(path.join(folder, secretFileName(oldKey)));
  await startKeyring(meta.db, { folder, embedded: true });
  const file = path.join(folder, "identity.txt");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.split("\n").slice(0, 3).join("\n"));
  await expect(startKeyring(meta.db, { folder, embedded: true })).rejects.toThrow(
    /identity of age1.* is missing/,
  );
});

test("a rotation that fails after its files were written leaves everything readable, and can be repeated", async () => {
  const { db } = meta;
  const [before] = await sealed();
  await db.database.update({ where: { id: ids.database }, data: { secretSealed: "v1.gone.AAAA.AAAA" } });
  await expect(rotateKeys(ctx)).rejects.toThrow(/sealed with the key gone/);
  expect(keys.keyring.secretKeyIds).toHaveLength(2);
  await db.database.update({ where: { id: ids.database }, data: { secretSealed: before } });
  expect(await opened()).toEqual(SECRETS);
  await startKeyring(db, { folder: keys.keyring.folder, embedded: true });
  await rotateKeys(ctx);
  expect(await opened()).toEqual(SECRETS);
  expect(new Set((await sealed()).map(sealedKeyId))).toEqual(new Set([keys.keyring.secretKeyId]));
  expect((await getKeys(ctx)).secretKeys.filter((key) => key.active)).toHaveLength(1);
});

test("where keys are supplied, rotation asks for a newer one and makes none", async () => {
  await meta.db.setting.deleteMany({ where: { key: "keys-made-here" } });
  await expect(rotateKeys(ctx)).rejects.toMatchObject({ code: "refused" });
  expect(keys.keyring.secretKeyIds).toHaveLength(1);
  const supplied = await addSecretKey(keys.keyring.folder, new Date(Date.now() + 1000));
  await addIdentity(keys.keyring.folder, keys.keyring.identities(), new Date());
  await startKeyring(meta.db, { folder: keys.keyring.folder, embedded: false });
  const state = await rotateKeys(ctx);
  expect(state.secretKeys.find((key) => key.active)?.id).toBe(supplied);
  expect(await opened()).toEqual(SECRETS);
  await expect(rotateKeys(ctx)).rejects.toMatchObject({ code: "refused" });
});

test("an identity that no backup needs any more may go; one that a backup needs may not", async () => {
  const [first = ""] = await keys.keyring.identityRecipients();
  await rotateKeys(ctx);
  const later = { ...ctx, clock: { now: () => new Date(Date.now() + 3 * 86_400_000) } };
  const backupId = newId();
  await meta.db.backup.create({
    data: {
      id: backupId,
      databaseId: ids.database,
      operationId: newId(),
      trigger: "click",
      path: "x",
      copies: { create: { id: newId(), destinationId: ids.destination, path: "x", state: "stored" } },
    },
  });
  await rotateKeys(later);
  const retired = async () =>
    (await meta.db.keyCheck.findUniqueOrThrow({ where: { keyId: first } })).retiredAt;
  expect(await retired()).toBeNull();
  await meta.db.copy.deleteMany({ where: { backupId } });
  await rotateKeys(later);
  expect(await retired()).not.toBeNull();
  expect(await keys.keyring.identityRecipients()).toContain(first);
});

test("the recovery kit is shown once, confirmed by its end, and then the only one in use", async () => {
  const first = await makeRecoveryKit(ctx);
  expect(first.identity).toMatch(/^AGE-SECRET-KEY-1/);
  expect((await keys.keyring.recipients(meta.db)).recovery).toEqual([first.recipient]);
  const stored = JSON.stringify([await meta.db.setting.findMany(), await meta.db.auditEvent.findMany()]);
  expect(stored).not.toContain(first.identity.slice(-8));
  expect((await getKeys(ctx)).recoveryKit).toEqual({ addedAt: first.createdAt, confirmedAt: null });
  await expect(confirmRecoveryKit(ctx, { ending: "WRONGEND" })).rejects.toMatchObject({
    code: "invalid",
    fields: { ending: expect.any(String) },
  });
  const state = await confirmRecoveryKit(ctx, { ending: first.identity.slice(-8).toLowerCase() });
  expect(state.recoveryKit.confirmedAt).not.toBeNull();

  const second = await makeRecoveryKit(ctx);
  expect((await keys.keyring.recipients(meta.db)).recovery).toEqual([second.recipient, first.recipient]);
  expect((await getKeys(ctx)).recoveryKit.confirmedAt).not.toBeNull();
  await confirmRecoveryKit(ctx, { ending: second.identity.slice(-8) });
  expect((await keys.keyring.recipients(meta.db)).recovery).toEqual([second.recipient]);
});

test("an unconfirmed kit gives way to the next one", async () => {
  await makeRecoveryKit(ctx);
  const second = await makeRecoveryKit(ctx);
  expect((await keys.keyring.recipients(meta.db)).recovery).toEqual([second.recipient]);
});

test("only an admin changes keys; a key file that others can read is put right at the start", async () => {
  const operator = {
    ...ctx,
    actor: {
      kind: "token" as const,
      id: newId(),
      name: "t",
      role: "operator" as const,
      scope: { environments: [], applications: [] },
    },
  };
  for (const verb of [
    rotateKeys,
    makeRecoveryKit,
    (c: Ctx) => confirmRecoveryKit(c, { ending: "12345678" }),
  ]) {
    await expect(verb(operator)).rejects.toMatchObject({ code: "forbidden" });
  }
  await chmod(path.join(keys.keyring.folder, "audit.key"), 0o640);
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  await startKeyring(meta.db, { folder: keys.keyring.folder, embedded: true, warn });
  expect(warnings).toHaveLength(1);
});
