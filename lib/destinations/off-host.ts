import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { DestinationKind } from "./schema.ts";

/**
 * Whether a destination is on another machine than this one, as far as its address tells: not in a folder, and not at
 * an address of this machine. What can't be resolved is not known to be elsewhere.
 */
export async function isOffHost(kind: DestinationKind, config: Record<string, unknown>): Promise<boolean> {
  if (kind === "local") return false;
  // Amazon's own.
  if (kind === "s3" && config.endpoint === undefined) return true;
  const host =
    kind === "s3"
      ? new URL(String(config.endpoint)).hostname.replace(/^\[|\]$/g, "")
      : String(config.host ?? "");
  const found = isIP(host) ? [{ address: host }] : await lookup(host, { all: true }).catch(() => []);
  const own = ownAddresses();
  return (
    found.length > 0 &&
    found.every(({ address }) => !own.check(address, isIP(address) === 6 ? "ipv6" : "ipv4"))
  );
}

function ownAddresses(): BlockList {
  const own = new BlockList();
  own.addSubnet("127.0.0.0", 8, "ipv4");
  own.addAddress("0.0.0.0", "ipv4");
  own.addAddress("::1", "ipv6");
  own.addAddress("::", "ipv6");
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])) {
    own.addAddress(address, family === "IPv6" ? "ipv6" : "ipv4");
  }
  return own;
}
