import { HoldfastError } from "../../errors.ts";
import type { Access, ServerInfo } from "../engine.ts";
import type { Session } from "./connect.ts";
import { withSession } from "./connect.ts";
import { numberOf } from "./connect-errors.ts";
import type { Flavour } from "./flavour.ts";
import { flavourOf } from "./flavour.ts";

const UNKNOWN_VARIABLE = 1193;

/** Connects once and reads who is there. Throws `invalid` where it is the other one of MariaDB and MySQL. */
export async function probe(
  flavour: Flavour,
  access: Access,
  signal: AbortSignal,
  applicationName?: string,
): Promise<ServerInfo> {
  return await withSession(flavour, access, { signal, applicationName }, readInfo);
}

/** The server's identity alone. */
export async function identify(flavour: Flavour, access: Access, signal: AbortSignal): Promise<string> {
  return await withSession(flavour, access, { signal }, readIdentity);
}

/** Who is at the other end of an open connection to a database. */
export async function readInfo(session: Session): Promise<ServerInfo> {
  const begun = performance.now();
  const [row] = await session.rows<{ name: string; version: string; comment: string }>(
    "SELECT DATABASE() AS name, VERSION() AS version, @@version_comment AS comment",
  );
  const latencyMs = Math.max(0, Math.round((performance.now() - begun) * 10) / 10);
  if (!row) throw new Error("the server did not say its version");
  assertFlavour(session.flavour, `${row.version} ${row.comment}`);
  const [about] = await session.rows<{ encoding: string; collation: string; size: string | null }>(
    `SELECT s.DEFAULT_CHARACTER_SET_NAME AS encoding, s.DEFAULT_COLLATION_NAME AS collation,
       (SELECT CAST(SUM(t.DATA_LENGTH + t.INDEX_LENGTH) AS CHAR) FROM information_schema.TABLES t
        WHERE t.TABLE_SCHEMA = DATABASE()) AS size
     FROM information_schema.SCHEMATA s WHERE s.SCHEMA_NAME = DATABASE()`,
  );
  const version = /^\d+(\.\d+)*/.exec(row.version)?.[0] ?? row.version;
  return {
    identity: await readIdentity(session),
    databaseName: row.name,
    version,
    major: Number.parseInt(version, 10),
    sizeBytes: about?.size == null ? null : Number(about.size),
    encoding: about?.encoding ?? null,
    collation: about?.collation ?? null,
    latencyMs,
  };
}

function assertFlavour(flavour: Flavour, version: string): void {
  const found = flavourOf(version);
  if (found === flavour) return;
  throw new HoldfastError("invalid", `This is a ${found.label} server, and not ${flavour.label}.`, {
    remedy: `Register it with the engine ${found.kind}: the two need their own programs.`,
    fields: { engine: `Choose ${found.label}.` },
  });
}

/**
 * The number that the server gave itself. MariaDB before 10.10 has none: then its machine, port and data folder,
 * which are the same through every address, too.
 */
async function readIdentity(session: Session): Promise<string> {
  try {
    const [row] = await session.rows<{ id: string | null }>(`SELECT ${session.flavour.identity} AS id`);
    if (row?.id) return row.id;
  } catch (error) {
    if (numberOf(error) !== UNKNOWN_VARIABLE) throw error;
  }
  const [row] = await session.rows<{ id: string }>(
    "SELECT CONCAT(@@hostname, ':', @@port, ':', @@datadir) AS id",
  );
  return row?.id ?? "";
}
