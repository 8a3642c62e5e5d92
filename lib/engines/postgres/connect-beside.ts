import type { Client } from "pg";
import type { Access } from "../engine.ts";
import type { SessionOptions } from "./connect.ts";
import { connect } from "./connect.ts";
import { parseConnection } from "./connection.ts";

/** The same server and user, another database. */
export function accessTo(on: Access, database: string): Access {
  return { ...on, connection: { ...on.connection, database } };
}

/** Connects to a database of the server that is none of those to be changed. */
export async function connectBeside(
  on: Access,
  avoid: readonly string[],
  options: SessionOptions,
): Promise<Client> {
  const own = parseConnection(on.connection).database;
  const candidates = [own, "postgres", "template1"].filter((name) => !avoid.includes(name));
  let last: unknown;
  for (const name of candidates) {
    try {
      return await connect(accessTo(on, name), options);
    } catch (error) {
      options.signal?.throwIfAborted();
      last = error;
    }
  }
  throw last;
}
