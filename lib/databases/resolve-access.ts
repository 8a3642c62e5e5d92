import type { Access, Engine } from "../engines/engine.ts";
import { HoldfastError } from "../errors.ts";
import { refuseForbiddenHost } from "../network/forbidden-address.ts";

export interface ConnectionInput {
  url?: string | undefined;
  connection?: Record<string, unknown> | undefined;
  password?: string | undefined;
}

/** The connection that was given, by URL or in parts, checked; null when neither was. Throws `invalid`. */
export async function resolveAccess(engine: Engine, input: ConnectionInput): Promise<Access | null> {
  const { url, connection, password } = input;
  if (url !== undefined && connection !== undefined) {
    throw new HoldfastError("invalid", "Give the connection as a URL or in its parts, not as both.", {
      fields: { url: "or the parts, not both" },
    });
  }
  if (url === undefined && connection === undefined) return null;
  const access =
    url === undefined ? { connection: engine.parseConnection(connection ?? {}) } : engine.parseUrl(url);
  if (password !== undefined && "password" in access && access.password !== undefined) {
    throw new HoldfastError("invalid", "The URL has a password, and another one was given.", {
      fields: { password: "is in the URL already" },
    });
  }
  await refuseForbiddenHost(access.connection);
  return password === undefined || password === "" ? access : { ...access, password };
}

/** Whether a stored password may be sent there: the same server, reached in the same way. */
export function sameServer(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const keys = ["host", "port", "tls", "ca", "file"];
  return keys.every((key) => a[key] === b[key]);
}
