import { cp, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newId } from "../ids.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { checkKeys } from "./check-keys.ts";
import { addIdentity, addSecretKey, secretFileName } from "./key-files.ts";
import { openKeyring } from "./keyring.ts";
import { keysMadeHere, startKeyring } from "./start-keyring.ts";

let meta: TestDb;
let root: string;
let folder: string;
beforeEach(async () => {
  meta = await createTestDb();
  root = await mkdtemp(path.join(tmpdir(), "hf-check-keys-"));
  folder = path.join(root, "keys");
});
afterEach(async () => {
  await meta.drop();
  await rm(root, { recursive: true, force: true });
});

const start = (embedded = true) => startKeyring(meta.db, { folder, embedded });

test("an embedded install makes its keys once and starts again with them", async () => {
  const first = await start();
  const second = await start();
  expect(second.secretKeyIds).toEqual(first.secretKeyIds);
  expect(await keysMadeHere(meta.db)).toBe(true);
  const rows = await meta.db.keyCheck.findMany({ orderBy: { kind: "asc" } });
  expect(rows.map((row) => [row.kind, row.active])).toEqual([
    ["audit", true],
    ["identity", true],
    ["secret", true],
  ]);
  expect((await first.recipients(meta.db)).server).toBe((await first.identityRecipients())[0]);
});

test("with a database of its own, keys are never made", async () => {
  await expect(start(false)).rejects.toThrow(/lacks secret-<id>\.key, audit\.key, identity\.txt/);
  await expect(readdir(folder)).rejects.toThrow();
  await openKeyring({ folder, mayCreate: true });
  await start(false);
  expect(await keysMadeHere(meta.db)).toBe(false);
});

test("a folder that went missing refuses the start and makes nothing in its place", async () => {
  await start();
  await rename(folder, `${folder}.away`);
  await expect(start()).rejects.toMatchObject({
    code: "refused",
    remedy: expect.stringContaining("Put the key"),
  });
  await expect(readdir(folder)).rejects.toThrow();
  await rename(`${folder}.away`, folder);
  await start();
});

test.each(["audit.key", "identity.txt", "secret"])("another %s refuses the start", async (which) => {
  const keyring = await start();
  const other = path.join(root, "other");
  const otherKeyring = await openKeyring({ folder: other, mayCreate: true });
  const target = which === "secret" ? secretFileName(keyring.secretKeyId) : which;
  const source = which === "secret" ? secretFileName(otherKeyring.secretKeyId) : which;
  await rm(path.join(folder, target));
  await cp(path.join(other, source), path.join(folder, source));
  await expect(start()).rejects.toThrow(/don't fit this install/);
  const sameName = which === "secret" ? target : source;
  await cp(path.join(other, source), path.join(folder, sameName));
  await expect(start()).rejects.toThrow(/don't fit this install/);
});

test("a key that a stored secret is sealed with must be there, registered or not", async () => {
  const keyring = await start();
  await addSecretKey(folder, new Date(Date.now() + 1000));
  const unregistered = keyring.secretKeyId;
  const environment = await meta.db.environment.create({ data: { id: newId(), name: "e", position: 1 } });
  const id = newId();
  await meta.db.database.create({
    data: {
      id,
      name: "d",
      engine: "postgres",
      application: "d",
      environmentId: environment.id,
      connection: {},
      secretSealed: keyring.seal("p", id),
    },
  });
  await rm(path.join(folder, secretFileName(unregistered)));
  await expect(start()).rejects.toThrow(`secret-${unregistered}.key is missing`);
});

test("newer keys in the folder are registered and become the active ones", async () => {
  const keyring = await start();
  const [old = ""] = await keyring.identityRecipients();
  const newest = await addIdentity(folder, keyring.identities(), new Date());
  expect((await keyring.recipients(meta.db)).server).toBe(old);
  await checkKeys(meta.db, keyring);
  expect((await keyring.recipients(meta.db)).server).toBe(newest);
  const active = await meta.db.keyCheck.findMany({ where: { kind: "identity", active: true } });
  expect(active.map((row) => row.keyId)).toEqual([newest]);
});

test("two processes that start at once register one set", async () => {
  await openKeyring({ folder, mayCreate: true });
  await Promise.all([start(), start(), start(false)]);
  expect(await meta.db.keyCheck.count()).toBe(3);
});
