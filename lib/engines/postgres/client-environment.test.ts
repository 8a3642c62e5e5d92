import { lookup } from "node:dns/promises";
import { expect, test } from "vitest";
import { clientEnvironment } from "./client-environment.ts";
import { connect } from "./connect.ts";

const access = (host: string) => ({
  connection: { host, port: 1, database: "d", user: "u", tls: "verify-full" },
  password: "p",
});
const work = { tempDir: "/nonexistent", applicationName: "test" };

test("libpq gets the addresses that were judged beside the name that the certificate is for", async () => {
  const { env, secrets } = await clientEnvironment(access("localhost"), work);
  const found = (await lookup("localhost", { all: true })).map(({ address }) => address);
  expect(env.PGHOSTADDR).toBe(found.join(","));
  expect(env.PGHOST).toBe(found.map(() => "localhost").join(","));
  expect(secrets).toEqual(["p"]);
});

test("a folder of sockets has no address", async () => {
  const { env } = await clientEnvironment(access("/run/postgresql"), work);
  expect([env.PGHOST, env.PGHOSTADDR]).toEqual(["/run/postgresql", undefined]);
});

test.each(["169.254.169.254", "2852039166"])("%s is refused where it is connected to", async (host) => {
  const refused = { code: "invalid", message: expect.stringContaining("cloud-metadata") };
  await expect(clientEnvironment(access(host), work)).rejects.toMatchObject(refused);
  await expect(connect(access(host))).rejects.toMatchObject(refused);
});

test("a name that nobody knows is named", async () => {
  const unknown = { code: "unavailable", message: expect.stringContaining("no-such-host.invalid") };
  await expect(clientEnvironment(access("no-such-host.invalid"), work)).rejects.toMatchObject(unknown);
  await expect(connect(access("no-such-host.invalid"))).rejects.toMatchObject(unknown);
});
