import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import { isOffHost } from "./off-host.ts";

const [own] = Object.values(networkInterfaces())
  .flatMap((entries) => entries ?? [])
  .filter(({ internal, family }) => !internal && family === "IPv4");

test.each([
  ["a folder", "local", { folder: "/mnt/nas" }, false],
  ["Amazon", "s3", { region: "eu-central-1" }, true],
  ["a store on this machine", "s3", { endpoint: "http://127.0.0.1:9000" }, false],
  ["the same by name", "s3", { endpoint: "http://localhost:9000" }, false],
  ["the same in IPv6", "s3", { endpoint: "http://[::1]:9000" }, false],
  ["a store elsewhere", "s3", { endpoint: "https://203.0.113.7" }, true],
  ["a server on this machine", "sftp", { host: "127.0.1.1" }, false],
  ["a server elsewhere", "sftp", { host: "2001:db8::1" }, true],
  ["a server that nobody knows", "sftp", { host: "nowhere.invalid" }, false],
] as const)("%s", async (_, kind, config, off) => {
  expect(await isOffHost(kind, config)).toBe(off);
});

test.runIf(own)("this machine's own address is this machine", async () => {
  expect(await isOffHost("sftp", { host: own?.address })).toBe(false);
});
