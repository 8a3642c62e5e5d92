import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import type { LookupFunction, NetConnectOpts } from "node:net";
import { Socket } from "node:net";
import { forbiddenHost, isForbiddenAddress } from "./forbidden-address.ts";

/** Asks the system's resolver for every address of a name. */
export type Resolver = (host: string) => Promise<LookupAddress[]>;

const systemResolver: Resolver = (host) => lookup(host, { all: true });

/**
 * The addresses of a host that somebody gave, judged: connect to these, not to the name, which may mean another
 * address a moment later (DNS rebinding). Throws `invalid` when one is forbidden, else what the resolver throws.
 */
export async function guardedAddresses(
  host: string,
  resolver: Resolver = systemResolver,
): Promise<LookupAddress[]> {
  if (isForbiddenAddress(host)) throw forbiddenHost(host);
  const found = await resolver(host);
  if (found.some(({ address }) => isForbiddenAddress(address))) throw forbiddenHost(host);
  return found;
}

/** `lookup` of sockets and HTTP agents: the address that was judged is the one that is connected to. */
export function guardedLookup(resolver: Resolver = systemResolver): LookupFunction {
  return (host, options, callback) => {
    const family = options.family === 4 || options.family === "IPv4" ? 4 : options.family ? 6 : 0;
    guardedAddresses(host, resolver).then(
      (found) => {
        const fitting = family === 0 ? found : found.filter((entry) => entry.family === family);
        const [first] = fitting;
        if (options.all) return callback(null, fitting);
        if (first) return callback(null, first.address, first.family);
        const error = Object.assign(new Error(`${host} has no address of this family`), {
          code: "ENOTFOUND",
        });
        callback(error, "");
      },
      (error: NodeJS.ErrnoException) => callback(error, ""),
    );
  };
}

/** A socket for clients that call `connect(port, host)` themselves: it judges the host's address as it connects. */
export function guardedSocket(resolver: Resolver = systemResolver): Socket {
  const socket = new Socket();
  const connect = socket.connect.bind(socket) as (options: NetConnectOpts) => Socket;
  const guarded = (port: number, host: string) => {
    if (!isForbiddenAddress(host)) return connect({ port, host, lookup: guardedLookup(resolver) });
    return socket.destroy(forbiddenHost(host));
  };
  socket.connect = guarded as unknown as Socket["connect"];
  return socket;
}
