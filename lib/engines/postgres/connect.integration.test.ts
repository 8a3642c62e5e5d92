import { chown, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestPostgres } from "../../testing/postgres.ts";
import { startTestPostgres } from "../../testing/postgres.ts";
import type { Access } from "../engine.ts";
import { dumpToFiles, endWork, startWork } from "../testing/round-trip.ts";
import { connect } from "./connect.ts";
import { postgresEngine } from "./postgres-engine.ts";

let server: TestPostgres;
let ca: string;

function withTls(tls: string, more: Record<string, unknown> = {}): Access {
  const access = server.access();
  return { ...access, connection: { ...access.connection, tls, ...more } };
}

async function encrypted(access: Access): Promise<boolean> {
  const client = await connect(access);
  try {
    const { rows } = await client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    return rows[0]?.ssl === true;
  } finally {
    await client.end();
  }
}

/** A certificate for "localhost", signed by itself, of no use elsewhere. */
const CERTIFICATE = path.join(import.meta.dirname, "testing/localhost");

beforeAll(async () => {
  ca = await readFile(`${CERTIFICATE}.crt`, "utf8");
  server = await startTestPostgres();
  const { uid, gid } = await stat(server.dataDir);
  for (const ending of ["key", "crt"]) {
    const file = path.join(server.dataDir, `server.${ending}`);
    await writeFile(file, await readFile(`${CERTIFICATE}.${ending}`), { mode: 0o600 });
    await chown(file, uid, gid);
  }
  const client = await server.client();
  await client.query("ALTER SYSTEM SET ssl = on");
  await client.query("SELECT pg_reload_conf()");
  await client.end();
}, 60_000);
afterAll(async () => {
  await server.stop();
});

describe("TLS modes", () => {
  it.each([
    ["disable", {}, false],
    ["prefer", {}, true],
    ["require", {}, true],
    ["verify-ca", "ca", true],
    ["verify-full", "ca and name", true],
  ])("%s", async (tls, more, expected) => {
    const given = more === "ca" ? { ca } : more === "ca and name" ? { ca, host: "localhost" } : {};
    expect(await encrypted(withTls(tls, given))).toBe(expected);
  });

  it("refuses a certificate that nobody vouches for, and one for another name", async () => {
    await expect(connect(withTls("verify-full", { host: "localhost" }))).rejects.toMatchObject({
      code: "refused",
      message: expect.stringContaining("not trusted"),
      fields: { "connection.ca": expect.any(String) },
    });
    await expect(connect(withTls("verify-full", { ca }))).rejects.toMatchObject({
      message: expect.stringMatching(/not trusted.*IP/),
    });
    await expect(connect(withTls("verify-ca", {}))).rejects.toMatchObject({ code: "refused" });
  });

  it("lets pg_dump check the same certificate", async () => {
    const work = await startWork();
    try {
      await dumpToFiles(postgresEngine, withTls("verify-full", { ca, host: "localhost" }), work);
      const good = await dumpToFiles(postgresEngine, withTls("verify-ca", { ca }), work);
      expect(good.info.major).toBe(15);
    } finally {
      await endWork(work);
    }
  });
});

it("connects through a unix socket", async () => {
  const access = withTls("verify-full", { host: server.socketDir });
  expect(await postgresEngine.probe(access, AbortSignal.timeout(10_000))).toMatchObject({ major: 15 });
  const work = await startWork();
  try {
    await dumpToFiles(postgresEngine, access, work);
  } finally {
    await endWork(work);
  }
});
