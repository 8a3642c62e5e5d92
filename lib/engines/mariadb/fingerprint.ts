import type { Fingerprint } from "../../proof/schema.ts";
import type { Access, ServerInfo, WorkContext } from "../engine.ts";
import type { TableInfo } from "./catalog.ts";
import { listTables, readSequences } from "./catalog.ts";
import type { Session } from "./connect.ts";
import { withSession } from "./connect.ts";
import { countFleetingEvents } from "./definitions.ts";
import type { DigestPlan } from "./digest-tables.ts";
import { digestTables } from "./digest-tables.ts";
import type { Flavour } from "./flavour.ts";
import { readInfo } from "./probe.ts";
import { digestSchema, schemaMethod, schemaPart } from "./schema-digest.ts";
import { beginSnapshot, pinSettings } from "./snapshot.ts";

/** Engines whose rows are elsewhere or nowhere. */
const NO_ROWS = ["FEDERATED", "CONNECT", "BLACKHOLE", "SPIDER"];

/** Why a table's rows are left out of every comparison, or null. */
export function notComparable(table: TableInfo): string | null {
  if (NO_ROWS.includes(table.engine.toUpperCase())) return `${table.engine}: its rows are not in the dump`;
  if (table.engine.toUpperCase() === "MEMORY") return "MEMORY: the server empties it when it starts";
  return null;
}

/** Tables as the session's transaction sees them; the caller knows the schema and the sequences. */
export async function takeFingerprint(
  session: Session,
  server: ServerInfo,
  tables: readonly TableInfo[],
  plan: DigestPlan,
  rest: {
    sequences: Fingerprint["sequences"];
    schema: () => Promise<Pick<Fingerprint, "schema" | "ownership">>;
    notCompared: string[];
    unshared?: string;
  },
  work: Pick<WorkContext, "progress">,
): Promise<Fingerprint> {
  const takenAt = new Date().toISOString();
  const digested = await digestTables(session, tables, plan, work);
  const { schema, ownership } = await rest.schema();
  return {
    format: 1,
    engine: session.flavour.kind,
    serverVersion: server.version,
    takenAt,
    schema,
    ...(ownership ? { ownership } : {}),
    tables: digested,
    sequences: rest.sequences,
    extensions: [],
    largeObjects: null,
    notCompared: rest.notCompared,
    ...(rest.unshared === undefined ? {} : { unshared: rest.unshared }),
  };
}

/** What no fingerprint holds, in sentences. */
export async function sentences(session: Session, tables: readonly TableInfo[]): Promise<string[]> {
  const events = await countFleetingEvents(session);
  const versioned = tables.filter((table) => table.versioned).length;
  const plural = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;
  return [
    events > 0
      ? `${plural(events, "one-time event", "one-time events")}: gone as soon as ${events === 1 ? "it has" : "they have"} run.`
      : null,
    versioned > 0
      ? `History of ${plural(versioned, "system-versioned table", "system-versioned tables")}.`
      : null,
  ].filter((sentence) => sentence !== null);
}

/** Compares a restored table as its original was compared; what was not there is counted. */
function planLike(like: Fingerprint): DigestPlan {
  const originals = new Map(like.tables.map((table) => [table.name, table]));
  return {
    budgetMs: Number.POSITIVE_INFINITY,
    compare(table) {
      const original = originals.get(table.name);
      if (original?.compared === "not compared")
        return { not: original.note ?? "not compared at the source" };
      const why = notComparable(table);
      return why === null ? (original?.compared ?? "count") : { not: why };
    },
  };
}

/** The same fingerprint of a restored copy; `like` says which tables by content. */
export async function fingerprintRestored(
  flavour: Flavour,
  target: Access,
  like: Fingerprint,
  work: WorkContext,
): Promise<Fingerprint> {
  const options = { signal: work.signal, applicationName: work.applicationName };
  return await withSession(flavour, target, options, async (session) => {
    const server = await readInfo(session);
    await pinSettings(session);
    const tables = await listTables(session);
    const sequences = await readSequences(session);
    const notCompared = await sentences(session, tables);
    await beginSnapshot(session);
    const schema = async () => schemaPart(schemaMethod(flavour.label, server), await digestSchema(session));
    return await takeFingerprint(
      session,
      server,
      tables,
      planLike(like),
      { sequences, schema, notCompared },
      work,
    );
  });
}
