import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../process/run-command.ts";
import type { TestMariadb } from "../../testing/mariadb.ts";
import { startTestMariadb } from "../../testing/mariadb.ts";
import type { Access } from "../engine.ts";
import type { TestWork } from "../testing/round-trip.ts";
import { dumpToFiles, endWork, startWork } from "../testing/round-trip.ts";
import { mariadbEngine, mysqlEngine } from "./engine.ts";

let folder: string;
let server: TestMariadb;
let ca: string;
let otherCa: string;
let work: TestWork;

/** An authority, and a certificate of it for the name localhost alone. */
async function certify(name: string): Promise<string> {
  const openssl = (...args: string[]) => runCommand({ program: "openssl", args, tempDir: folder });
  const key = ["-newkey", "rsa:2048", "-nodes", "-days", "2"];
  await openssl(
    "req",
    "-x509",
    ...key,
    "-subj",
    "/CN=ca",
    "-keyout",
    `${name}-ca.key`,
    "-out",
    `${name}-ca.pem`,
  );
  await openssl(
    ...["req", "-x509", ...key, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-CA", `${name}-ca.pem`, "-CAkey", `${name}-ca.key`, "-keyout", `${name}.key`, "-out", `${name}.pem`],
  );
  await chmod(path.join(folder, `${name}.key`), 0o644);
  return await readFile(path.join(folder, `${name}-ca.pem`), "utf8");
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "hf-maria-tls-"));
  await chmod(folder, 0o755);
  [ca, otherCa] = [await certify("one"), await certify("two")];
  const at = (name: string) => path.join(folder, name);
  server = await startTestMariadb([`--ssl-cert=${at("one.pem")}`, `--ssl-key=${at("one.key")}`]);
  await server.createDatabase("shop");
  await server.run(
    undefined,
    ...["strict@localhost", "strict@127.0.0.1"].flatMap((account) => [
      `CREATE USER ${account} IDENTIFIED BY '${server.access("shop").password}' REQUIRE SSL`,
      `GRANT ALL ON *.* TO ${account}`,
    ]),
  );
  await server.run("shop", "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)");
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  work = await startWork();
});
afterEach(() => endWork(work));

function by(tls: string, more: Record<string, unknown> = {}): Access {
  const access = server.access("shop");
  return { ...access, connection: { ...access.connection, host: "localhost", user: "strict", tls, ...more } };
}

describe("TLS", () => {
  it.each([
    ["prefer", {}],
    ["require", {}],
    ["verify-full", { ca: "one" }],
  ])("by the mode %s reaches the server, as does the dump program", async (tls, more) => {
    const access = by(tls, "ca" in more ? { ca } : {});
    const [connection] = await mariadbEngine.preflight(access, work.signal);
    expect(connection).toMatchObject({ state: "ok", detail: expect.stringMatching(/, encrypted\./) });
    const stored = await dumpToFiles(mariadbEngine, access, work);
    expect(stored.fingerprint.tables).toMatchObject([{ rows: 1, compared: "content" }]);
  });

  it("is checked against authority and name", async () => {
    for (const access of [
      by("verify-full", { ca: otherCa }),
      by("verify-full"),
      by("verify-full", { ca, host: "127.0.0.1" }),
    ]) {
      await expect(mariadbEngine.probe(access, work.signal)).rejects.toMatchObject({
        code: "refused",
        message: expect.stringMatching(/certificate of .* is not trusted/),
      });
    }
  });

  it("has no mode that MariaDB's programs lack", () => {
    const connection = { host: "h", database: "d", user: "u", tls: "verify-ca" };
    expect(() => mariadbEngine.parseConnection(connection)).toThrow(/verify-full/);
    const require = { ...connection, tls: "require", ca };
    expect(() => mariadbEngine.parseConnection(require)).toThrow(/verify-full/);
    expect(mysqlEngine.parseConnection(require)).toMatchObject({ tls: "require" });
    expect(mysqlEngine.parseConnection(connection)).toMatchObject({ port: 3306, tls: "verify-ca" });
  });

  it("is missed by name where the server has none of it and wants it", async () => {
    await expect(mariadbEngine.probe(by("disable"), work.signal)).rejects.toMatchObject({ code: "refused" });
  });
});

describe("a URL", () => {
  it.each([
    ["mariadb://ann:p%40ss@db.example/shop", { host: "db.example", port: 3306, user: "ann", tls: "prefer" }],
    ["mysql://ann@[::1]:3307/shop?ssl-mode=REQUIRED", { host: "::1", port: 3307, tls: "require" }],
    ["mysql://ann@localhost/shop?sslmode=verify_identity", { tls: "verify-full" }],
    ["mariadb://ann@/shop?socket=/run/mysqld/mysqld.sock", { host: "/run/mysqld/mysqld.sock" }],
  ])("%s", (url, connection) => {
    expect(mariadbEngine.parseUrl(url)).toMatchObject({ connection: { database: "shop", ...connection } });
  });

  it.each([
    ["postgres://a@b/c", /mariadb:\/\//],
    ["mariadb://b/c", /user is missing/],
    ["mariadb://a@b/", /database/],
    ["mariadb://a:%zz@b/c", /%25/],
    ["mariadb://a@b:x/c", /host:port/],
    ["mariadb://a@b,c/d", /several servers/],
    ["mariadb://a@b/c?ssl-mode=maybe", /maybe is not known/],
  ])("%s is refused, and says why", (url, says) => {
    expect(() => mariadbEngine.parseUrl(url)).toThrow(says);
  });
});
