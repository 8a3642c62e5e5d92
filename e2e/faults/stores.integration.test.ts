import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { copyBackup } from "../../lib/backups/copy-backup.ts";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { BackupDto } from "../../lib/backups/schema.ts";
import { verifyBackup } from "../../lib/backups/verify-backup.ts";
import { getDatabase } from "../../lib/databases/get-database.ts";
import type { Db } from "../../lib/db/client.ts";
import { createDestination } from "../../lib/destinations/create-destination.ts";
import { listDestinations } from "../../lib/destinations/list-destinations.ts";
import type { CreateDestinationInput, DestinationDto } from "../../lib/destinations/schema.ts";
import { testDestination } from "../../lib/destinations/test-destination.ts";
import { updateDestination } from "../../lib/destinations/update-destination.ts";
import { s3Storage } from "../../lib/storage/s3/s3-storage.ts";
import type { FaultProxy } from "../../lib/storage/s3/testing/fault-proxy.ts";
import { startFaultProxy } from "../../lib/storage/s3/testing/fault-proxy.ts";
import type { S3Gateway } from "../../lib/storage/s3/testing/rgw.ts";
import { startGateway } from "../../lib/storage/s3/testing/rgw.ts";
import type { SshServer } from "../../lib/storage/sftp/testing/sshd.ts";
import { startSshServer } from "../../lib/storage/sftp/testing/sshd.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { createToken } from "../../lib/tokens/create-token.ts";
import type { ApiServer } from "./api-server.ts";
import { startApi } from "./api-server.ts";
import { attentionFor } from "./expectations.ts";
import type { Install } from "./install.ts";
import { installWithShops, WITHIN } from "./install.ts";
import { nothingLeft } from "./leftovers.ts";

let db: Db;
let server: TestPostgres;
let install: Install;
let cleanUp: () => Promise<void>;
let gateway: S3Gateway;
let proxy: FaultProxy;
let ssh: SshServer;
let api: ApiServer;
let token: string;
/** The bucket behind `bucket`, straight. */
let direct: Storage;

beforeAll(async () => {
  [{ install, server, cleanUp }, gateway, ssh] = await Promise.all([
    installWithShops({ shop: "default" }),
    startGateway(),
    startSshServer(),
  ]);
  ({ db } = install.ctx);
  proxy = await startFaultProxy(gateway.endpoint);
  api = await startApi(install);
  ({ token } = await createToken(install.ctx, { name: "cli", role: "admin", expiresInDays: null }));
  await createDestination(install.ctx, { ...bucket({}), createBucket: true });
  await createDestination(install.ctx, folder({}));
  const { id: installId } = await db.install.findFirstOrThrow();
  const { config } = bucket({});
  direct = s3Storage({ ...config, prefix: "nightly", endpoint: gateway.endpoint }, gateway.secret, {
    installId,
  });
  await install.worker("one");
}, 240_000);
afterAll(async () => {
  await api?.stop();
  await cleanUp?.();
  await proxy?.stop();
  await Promise.all([gateway?.stop(), ssh?.cleanUp()]);
});
beforeEach(() => {
  proxy.judge = () => null;
});
afterEach(async () => await nothingLeft(install, server, ["shop"]));

function bucket(more: object) {
  return {
    name: "bucket",
    kind: "s3" as const,
    config: {
      endpoint: proxy.endpoint,
      region: "us-east-1",
      bucket: "backups",
      prefix: "nightly",
      pathStyle: true,
      accessKey: gateway.accessKey,
      ...more,
    },
    secretKey: gateway.secret,
  };
}

function folder(more: object) {
  const { config, privateKey } = ssh;
  return { name: "attic", kind: "sftp" as const, config: { ...config, ...more }, privateKey };
}

async function run(verify: boolean): Promise<BackupDto> {
  const { id, operationId } = await runBackup(install.ctx, { database: "shop", verify });
  await install.until(operationId, "succeeded");
  return await getBackup(install.ctx, id);
}

const stateAt = (backup: BackupDto, destination: string) =>
  backup.copies.find((copy) => copy.destination === destination);

async function expectProven(backup: BackupDto, destination: string): Promise<void> {
  const { id } = await verifyBackup(install.ctx, backup.id, { destination });
  const { result } = await install.until(id, "succeeded");
  expect(result).toMatchObject({ verdict: "proven", level: "restored", copies: [{ destination }] });
}

describe("one pass to a folder, a bucket and an SFTP server", () => {
  it("makes three copies, each of which proves the backup, and no secret shows anywhere", async () => {
    const backup = await run(false);
    expect(backup.state).toBe("complete");
    expect(backup.copies.map(({ destination, state }) => `${destination} ${state}`).sort()).toEqual([
      "attic stored",
      "bucket stored",
      "local stored",
    ]);
    for (const { destination } of backup.copies) await expectProven(backup, destination);
    // All of it lies on this machine, however it is reached.
    const { copies } = await getDatabase(install.ctx, "shop");
    expect(copies).toEqual({ stored: 3, kinds: 3, offHost: false, lacks: ["a copy off this host"] });
    await db.destination.updateMany({ where: { name: "bucket" }, data: { offHost: true } });
    expect((await getDatabase(install.ctx, "shop")).copies?.lacks).toEqual([]);
    await db.destination.updateMany({ data: { offHost: false } });

    const shown = JSON.stringify([
      await listDestinations(install.ctx),
      await db.auditEvent.findMany().then((rows) => rows.map((row) => String(JSON.stringify(row, bigints)))),
      await db.operationLog.findMany().then((rows) => JSON.stringify(rows, bigints)),
    ]);
    expect(shown).not.toContain(gateway.secret);
    expect(shown).not.toContain(ssh.privateKey.split("\n")[1]);
  });

  it("what lies on the server is fetched by the command that RESTORE.md gives", async () => {
    const backup = await run(false);
    const key = path.join(install.root, "fetch-key");
    await writeFile(key, ssh.privateKey, { mode: 0o600 });
    const { user, host, port, folder: root } = ssh.config;
    const { path: at = "" } = stateAt(backup, "attic") ?? {};
    const known = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
    const place = ["-r", `${user}@${host}:${root}/${at}`, "."];
    await promisify(execFile)("sftp", ["-q", "-i", key, ...known, "-P", String(port), ...place], {
      cwd: install.root,
    });
    const fetched = path.join(install.root, path.basename(at));
    const { text: manifest } = await db.backupManifest.findUniqueOrThrow({ where: { backupId: backup.id } });
    expect(await readFile(path.join(fetched, "manifest.json"), "utf8")).toBe(manifest);
    expect(await readFile(path.join(fetched, "RESTORE.md"), "utf8")).toContain(
      "`sftp -r USER@HOST:FOLDER .`",
    );
    for (const { file, sha256 } of backup.artefacts) {
      const bytes = await readFile(path.join(fetched, file));
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
    }
  });

  it("a copy that is deleted in the bucket is found missing, and made again from another", async () => {
    const backup = await run(false);
    const { path: at = "" } = stateAt(backup, "bucket") ?? {};
    await direct.delete(`${at}/dump.pgdump.zst.age`);
    const { id } = await verifyBackup(install.ctx, backup.id, { destination: "bucket" });
    await install.until(id, "failed");
    const damaged = await getBackup(install.ctx, backup.id);
    expect(stateAt(damaged, "bucket")).toMatchObject({ state: "missing" });
    expect(await attentionFor(install, "shop")).toContainEqual(
      expect.objectContaining({ detail: "dump.pgdump.zst.age is missing at the destination." }),
    );
    const { id: copying } = await copyBackup(install.ctx, backup.id);
    const made = await install.until(copying, "succeeded");
    expect(made.reason).toMatch(/ copied from local to bucket$/);
    const proof = await db.operation.findFirstOrThrow({
      where: { rootId: made.rootId, kind: "backup.verify" },
    });
    await install.until(proof.id, "succeeded");
    expect(stateAt(await getBackup(install.ctx, backup.id), "bucket")).toMatchObject({ state: "stored" });
  });

  it("a bucket that fails in mid-backup is left out with the reason; its copy is made once it is back", async () => {
    proxy.judge = ({ method, url }) =>
      method === "PUT" && url.includes("dump.pgdump") ? { cutRequestAfter: 1000 } : null;
    const backup = await run(false);
    expect(backup).toMatchObject({ state: "partial", reason: expect.stringContaining("can't be reached") });
    expect(stateAt(backup, "bucket")).toMatchObject({ state: "failed" });
    expect(stateAt(backup, "attic")).toMatchObject({ state: "stored" });
    const left: string[] = [];
    for await (const object of direct.list(backup.copies[0]?.path ?? "")) left.push(object.path);
    expect(left).toEqual([]);

    proxy.judge = () => null;
    await db.copy.updateMany({
      where: { backupId: backup.id, retryAt: { not: null } },
      data: { retryAt: new Date() },
    });
    await vi.waitFor(async () => {
      expect((await getBackup(install.ctx, backup.id)).state).toBe("complete");
    }, WITHIN);
    await expectProven(await getBackup(install.ctx, backup.id), "bucket");
  });

  it("with credentials that only write, backups are stored there, and proven and copied from elsewhere", async () => {
    const denied = { status: 403, code: "AccessDenied" };
    proxy.judge = ({ method }) => (method === "PUT" || method === "POST" ? null : denied);
    expect(await testDestination(install.ctx, "bucket")).toMatchObject({
      ok: true,
      lacks: ["read", "list", "delete"],
      message: expect.stringContaining("can't read or list or delete"),
    });
    const backup = await run(true);
    expect(stateAt(backup, "bucket")).toMatchObject({ state: "stored" });
    await install.until(backup.verification?.operationId ?? "", "succeeded");
    const { id } = await verifyBackup(install.ctx, backup.id, { destination: "bucket" });
    expect((await install.until(id, "failed")).reason).toMatch(/can't be read can't be proven: bucket/);
    expect(stateAt(await getBackup(install.ctx, backup.id), "bucket")).toMatchObject({ state: "stored" });
    proxy.judge = () => null;
    expect(await testDestination(install.ctx, "bucket")).toMatchObject({ ok: true, lacks: [] });
    for await (const { path: left } of direct.list("holdfast-test")) await direct.delete(left);
  });
});

describe("adding and changing a destination", () => {
  const refused = async (input: CreateDestinationInput, field: string, said: RegExp) => {
    const before = await db.destination.count();
    await expect(createDestination(install.ctx, { ...input, name: "new" }), field).rejects.toMatchObject({
      code: expect.stringMatching(/^(invalid|conflict)$/),
      fields: { [field]: expect.stringMatching(said) },
    });
    expect(await db.destination.count()).toBe(before);
  };

  it("says beside the setting what is wrong with a bucket", async () => {
    await refused({ ...bucket({ prefix: "a" }), secretKey: "wrong" }, "secretKey", /does not fit/);
    await refused(bucket({ prefix: "a", accessKey: "NOBODY" }), "config.accessKey", /does not know/);
    await refused(bucket({ bucket: "nowhere" }), "config.bucket", /no bucket nowhere/);
    await refused(bucket({ endpoint: "http://127.0.0.1:9" }), "config.endpoint", /can't be reached/);
    await refused(bucket({ endpoint: "http://169.254.169.254" }), "config.endpoint", /cloud-metadata/);
    await refused(bucket({}), "config.bucket", /is taken/);
  });

  it("says beside the setting what is wrong with an SFTP server", async () => {
    const elsewhere = path.join(path.dirname(ssh.folder), "more");
    await refused(
      { ...folder({ folder: elsewhere }), privateKey: "-----BEGIN NONSENSE-----" },
      "privateKey",
      /can't be read/,
    );
    await refused(folder({ folder: elsewhere, user: "nobody-here" }), "config.user", /does not let/);
    await refused(folder({ folder: elsewhere, port: 9 }), "config.port", /Nothing listens/);
    const other = `SHA256:${"A".repeat(43)}`;
    await refused(folder({ folder: elsewhere, hostKey: other }), "config.hostKey", /The server shows SHA256/);
    await refused(folder({ folder: elsewhere, host: "169.254.1.1" }), "config.host", /link-local/);
  });

  it("a server whose host key changes fails its test until the new one is pinned", async () => {
    await ssh.stop();
    const changed = await ssh.changeHostKey();
    await ssh.start();
    expect(await testDestination(install.ctx, "attic")).toMatchObject({
      ok: false,
      message: expect.stringContaining(changed),
    });
    expect(
      (await listDestinations(install.ctx)).items.find(({ name }) => name === "attic")?.checkError,
    ).toMatch(/another host key/);
    const now = await updateDestination(install.ctx, "attic", { config: { hostKey: changed } });
    expect(now).toMatchObject({ checkError: null, config: { hostKey: changed } });
    ssh.config.hostKey = changed;
  });

  it("changes who signs in only together with a secret that works, and never the place", async () => {
    const change = (input: Parameters<typeof updateDestination>[2]) =>
      updateDestination(install.ctx, "bucket", input);
    const second = await gateway.addUser("second");
    await expect(change({ config: { accessKey: second.accessKey } })).rejects.toMatchObject({
      fields: { secretKey: expect.stringContaining("again") },
    });
    await expect(change({ secretKey: "wrong" })).rejects.toMatchObject({
      code: "invalid",
      fields: { secretKey: expect.stringContaining("does not fit") },
    });
    await expect(change({ config: { bucket: "other" } })).rejects.toMatchObject({
      fields: { "config.bucket": expect.stringContaining("can't be changed") },
    });
    expect(await change({ config: { storageClass: "STANDARD" } })).toMatchObject({
      config: { storageClass: "STANDARD", bucket: "backups" },
    });
    expect((await change({ config: { storageClass: null } })).config).not.toHaveProperty("storageClass");
    expect(await testDestination(install.ctx, "bucket")).toMatchObject({ ok: true });
  });
});

describe("holdfast destination", () => {
  async function holdfast(args: string[], env: Record<string, string> = {}) {
    const child = spawn(process.execPath, ["bin/cli/main.ts", "destination", ...args], {
      env: { NODE_ENV: "test", PATH: process.env.PATH, HOLDFAST_URL: api.url, HOLDFAST_TOKEN: token, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? -1)));
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, out, err };
  }

  it("adds a bucket that it makes, tests it and lists it", async () => {
    const { endpoint, accessKey, secret } = gateway;
    const add = ["add", "--name", "offsite", "--kind", "s3", "--endpoint", endpoint, "--region", "us-east-1"];
    add.push(
      "--path-style",
      "--bucket",
      "nightly",
      "--access-key",
      accessKey,
      "--secret-key-env",
      "S3_SECRET",
    );
    expect(await holdfast(add)).toMatchObject({
      code: 2,
      err: expect.stringContaining("S3_SECRET is not set"),
    });
    expect(await holdfast(add, { S3_SECRET: secret })).toMatchObject({
      code: 2,
      err: expect.stringContaining("--create-bucket"),
    });
    const made = await holdfast([...add, "--create-bucket", "--json"], { S3_SECRET: secret });
    expect(made).toMatchObject({ code: 0, err: "" });
    const dto = JSON.parse(made.out) as DestinationDto;
    expect(dto).toMatchObject({ name: "offsite", kind: "s3", lacks: [], offHost: false });
    expect(made.out).not.toContain(secret);
    expect(await holdfast(["test", "offsite", "--wait"])).toMatchObject({
      code: 0,
      out: "Written, read back, listed and deleted.\n",
    });
    const list = await holdfast(["list"]);
    expect(list.out).toContain(`s3://nightly at ${endpoint}`);
  });

  it("adds an SFTP server once its key was compared, and exits 1 when a test fails", async () => {
    const file = path.join(install.root, "id");
    await writeFile(file, ssh.privateKey, { mode: 0o600 });
    const { host, port, user, hostKey } = ssh.config;
    const at = path.join(path.dirname(ssh.folder), "cli");
    const add = ["add", "--name", "vault", "--kind", "sftp", "--host", host, "--port", String(port)];
    add.push("--user", user, "--folder", at, "--private-key-file", file);
    expect(await holdfast(add)).toMatchObject({ code: 2, err: expect.stringContaining(hostKey) });
    expect(await holdfast([...add, "--host-key", hostKey])).toMatchObject({ code: 0, err: "" });
    await ssh.stop();
    expect(await holdfast(["test", "vault"])).toMatchObject({
      code: 1,
      out: expect.stringContaining("Nothing listens"),
    });
    await ssh.start();
  });
});

function bigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
