import { expect, test } from "vitest";
import { isForbiddenAddress, refuseForbiddenHost } from "./forbidden-address.ts";

test.each([
  "169.254.169.254",
  "169.254.0.1",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "fe80::1%eth0",
  "fd00:ec2::254",
  "100.100.100.200",
  "64:ff9b::a9fe:a9fe",
])("%s is forbidden", (address) => {
  expect(isForbiddenAddress(address)).toBe(true);
});

test.each([
  "127.0.0.1",
  "::1",
  "10.0.0.5",
  "192.168.1.1",
  "172.16.0.1",
  "fd12::1",
  "8.8.8.8",
  "localhost",
  "",
])("%s is allowed", (address) => {
  expect(isForbiddenAddress(address)).toBe(false);
});

test.each(["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376"])(
  "the host %s is refused in whatever notation the resolver takes",
  async (host) => {
    await expect(refuseForbiddenHost({ host })).rejects.toMatchObject({
      code: "invalid",
      fields: { "connection.host": expect.any(String) },
    });
  },
);

test("sockets, files and names that nobody knows here pass", async () => {
  await refuseForbiddenHost({ host: "/run/postgresql" });
  await refuseForbiddenHost({ file: "/data/kiosk.db" });
  await refuseForbiddenHost({ host: "localhost" });
  await refuseForbiddenHost({ host: "no-such-host.invalid" });
});
