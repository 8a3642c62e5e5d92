import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { parseEnv } from "../env.ts";
import { ADDRESS_HEADER, addressGroup, clientAddress, stampRequests } from "./client-address.ts";
import { isUse } from "./session-use.ts";

const direct = parseEnv({});
const proxied = parseEnv({ HOLDFAST_TRUST_PROXY: "on" });

test("without a trusted proxy only the socket's address counts", () => {
  const headers = new Headers({ "x-forwarded-for": "6.6.6.6", [ADDRESS_HEADER]: "10.0.0.7" });
  expect(clientAddress(headers, direct)).toBe("10.0.0.7");
  expect(clientAddress(new Headers({ "x-forwarded-for": "6.6.6.6" }), direct)).toBeUndefined();
});

test("behind a proxy the entry that the proxy added counts, not what the client sent", () => {
  const headers = new Headers({ "x-forwarded-for": "6.6.6.6, 203.0.113.9", [ADDRESS_HEADER]: "10.0.0.1" });
  expect(clientAddress(headers, proxied)).toBe("203.0.113.9");
});

test("a client can't choose the address that it is known by", async () => {
  stampRequests();
  const server = createServer((request, response) => response.end(String(request.headers[ADDRESS_HEADER])));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { [ADDRESS_HEADER]: "6.6.6.6" } });
  expect(await answer.text()).toBe("127.0.0.1");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test("a page that is fetched ahead is no use of the session", async () => {
  stampRequests();
  const server = createServer((request, response) => {
    const headers = new Headers(request.headers as Record<string, string>);
    response.end(String(isUse(headers)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const ask = async (headers: Record<string, string>) =>
    await (await fetch(`http://127.0.0.1:${port}/`, { headers })).text();
  expect(await ask({ rsc: "1" })).toBe("true");
  expect(await ask({ rsc: "1", "next-router-prefetch": "1" })).toBe("false");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test("IPv6 clients are one per /64", () => {
  expect(addressGroup("203.0.113.9")).toBe("203.0.113.9");
  expect(addressGroup("2001:db8:0:12:aaaa::1")).toBe("2001:db8:0:12::/64");
  expect(addressGroup("2001:db8::1")).toBe("2001:db8:0:0::/64");
  expect(addressGroup("::1")).toBe("0:0:0:0::/64");
  expect(addressGroup("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  expect(addressGroup("unknown")).toBe("unknown");
});
