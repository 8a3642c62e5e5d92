import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";
import type { Env } from "../env.ts";
import { markPrefetch } from "./session-use.ts";

/** Set by this process on each request it takes; what a client sends under this name is overwritten. */
export const ADDRESS_HEADER = "x-holdfast-address";

/**
 * Stamps every request that this process's HTTP servers take with the socket's address, before any handler
 * sees it: route handlers have no socket, and X-Forwarded-For can be made up by the client. Pages that are fetched
 * ahead are marked, too.
 */
export function stampRequests(): void {
  subscribe("http.server.request.start", (message) => {
    const { request } = message as { request: IncomingMessage };
    request.headers[ADDRESS_HEADER] = plainAddress(request.socket.remoteAddress ?? "");
    markPrefetch(request.headers);
  });
}

/**
 * Address of the client: the socket's, or with HOLDFAST_TRUST_PROXY the last entry of X-Forwarded-For, which
 * is the one that the proxy itself added. Undefined when not known.
 */
export function clientAddress(headers: Headers, env: Env): string | undefined {
  if (env.HOLDFAST_TRUST_PROXY === "on") {
    const forwarded = headers.get("x-forwarded-for")?.split(",").at(-1)?.trim();
    if (forwarded) return plainAddress(forwarded).slice(0, 64);
  }
  return headers.get(ADDRESS_HEADER)?.slice(0, 64) || undefined;
}

/** An IPv4 address that came in over an IPv6 socket is shown as IPv4. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** What is throttled as one client: an IPv4 address, or the /64 that an IPv6 client can choose from freely. */
export function addressGroup(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail = ""] = address.split("%")[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const zeros = address.includes("::") ? 8 - left.length - right.length : 0;
  const groups = [...left, ...Array.from({ length: Math.max(zeros, 0) }, () => "0"), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
