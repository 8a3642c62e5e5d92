import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { HoldfastError } from "../errors.ts";

/**
 * Addresses that answer with a machine's own credentials: link-local (RFC 3927, RFC 4291) and the metadata
 * services of the clouds that lie outside it (Alibaba, Oracle, Azure, AWS on IPv6). Private and loopback
 * addresses are where databases live and stay allowed.
 */
const forbidden = new BlockList();
forbidden.addSubnet("169.254.0.0", 16, "ipv4");
forbidden.addAddress("100.100.100.200", "ipv4");
forbidden.addAddress("192.0.0.192", "ipv4");
forbidden.addAddress("168.63.129.16", "ipv4");
forbidden.addSubnet("fe80::", 10, "ipv6");
forbidden.addAddress("fd00:ec2::254", "ipv6");
// NAT64 and 6to4 forms of 169.254.0.0/16.
forbidden.addSubnet("64:ff9b::a9fe:0", 112, "ipv6");
forbidden.addSubnet("2002:a9fe::", 32, "ipv6");

/** Whether a numeric address is one that Holdfast never connects to; IPv4 in IPv6 is looked through. */
export function isForbiddenAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, "");
  const family = isIP(plain);
  if (family === 0) return false;
  return forbidden.check(plain, family === 6 ? "ipv6" : "ipv4");
}

/** What is said of a host whose address is forbidden; the field is by default that of a connection. */
export function forbiddenHost(host: string, field = "connection.host"): HoldfastError {
  return new HoldfastError("invalid", `${host} is a link-local or cloud-metadata address.`, {
    remedy: "Give the server's own address; Holdfast never connects to those.",
    fields: { [field]: "a link-local or cloud-metadata address" },
  });
}

/**
 * Refuses a connection whose host is, or resolves to, a forbidden address; sockets and files pass. A name that
 * can't be resolved here passes: the worker that connects asks again, and holds on to the answer it has judged
 * (guarded-lookup.ts). Throws `invalid` with the field.
 */
export async function refuseForbiddenHost(connection: Record<string, unknown>): Promise<void> {
  const { host } = connection;
  if (typeof host !== "string" || host.startsWith("/")) return;
  const found = await lookup(host, { all: true }).catch(() => []);
  const addresses = [host, ...found.map((entry) => entry.address)];
  if (addresses.some(isForbiddenAddress)) throw forbiddenHost(host);
}
