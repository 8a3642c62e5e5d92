import type { Client } from "pg";
import type { Fingerprint } from "../../proof/schema.ts";
import type { Access, ServerInfo, WorkContext } from "../engine.ts";
import { digestSchema } from "./archive-stream.ts";
import { clientEnvironment } from "./client-environment.ts";
import { openSession } from "./connect.ts";
import { digestLargeObjects, readSequences } from "./digest-others.ts";
import type { DigestPlan } from "./digest-tables.ts";
import { digestTables } from "./digest-tables.ts";
import { dumpError } from "./dump-errors.ts";
import type { TableInfo } from "./list-tables.ts";
import { listExtensions, listSequences, listTables } from "./list-tables.ts";
import { readInfo } from "./probe.ts";
import type { SchemaDigests } from "./schema-digest.ts";
import { beginSnapshot } from "./snapshot.ts";
import type { ClientTools } from "./tools.ts";
import { findClientTools } from "./tools.ts";

type SchemaPart = Pick<Fingerprint, "schema" | "ownership">;

/** Why a table's rows are left out of every comparison, or null. */
export function notComparable(table: TableInfo): string | null {
  if (table.kind === "materialized view") return "materialized view: a restore computes it anew";
  if (table.kind === "foreign table") return "foreign table: its rows are on another server";
  if (table.ofExtension) return "belongs to an extension, which keeps its contents itself";
  return null;
}

/** "pg_dump 15.18, server 15": schemas are comparable where this is the same. */
export function schemaMethod(tools: ClientTools, server: ServerInfo): string {
  return `pg_dump ${tools.version}, server ${server.major}`;
}

/** The schema's part of a fingerprint, from digests or from the reason that there are none. */
export function schemaPart(method: string, digests: SchemaDigests | { failed: string }): SchemaPart {
  if ("failed" in digests) {
    const note = `not comparable: ${digests.failed}`;
    return { schema: { digest: null, method, note }, ownership: { digest: null, note } };
  }
  const { schema, ownership, objects } = digests;
  return {
    schema: { digest: schema, method, ...(objects ? { objects } : {}) },
    ownership: { digest: ownership },
  };
}

/** What a snapshot can't promise or what is left out, in sentences. */
function sentences(tables: Fingerprint["tables"], largeObjects: string | null): string[] {
  const count = (kind: string) => tables.filter((table) => table.kind === kind).length;
  const views = count("materialized view");
  const foreign = count("foreign table");
  const ofExtensions = tables.filter((table) => table.note?.startsWith("belongs to an extension")).length;
  const unlogged = tables.filter((table) => table.note?.startsWith("unlogged")).length;
  const plural = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;
  return [
    views > 0 ? `Contents of ${plural(views, "materialized view", "materialized views")}.` : null,
    foreign > 0 ? `Rows of ${plural(foreign, "foreign table", "foreign tables")}.` : null,
    ofExtensions > 0 ? `Contents of ${plural(ofExtensions, "table", "tables")} of extensions.` : null,
    unlogged > 0
      ? `Rows of ${plural(unlogged, "unlogged table", "unlogged tables")}: not on a standby.`
      : null,
    largeObjects,
  ].filter((sentence) => sentence !== null);
}

/**
 * Tables, large objects and extensions as `client`'s snapshot shows them; the caller knows the schema and the
 * sequences, which were read before the dump.
 */
export async function takeFingerprint(
  client: Client,
  server: ServerInfo,
  tables: readonly TableInfo[],
  plan: DigestPlan,
  rest: { sequences: Fingerprint["sequences"]; schema: () => Promise<SchemaPart> },
  work: Pick<WorkContext, "log" | "progress">,
): Promise<Fingerprint> {
  const takenAt = new Date().toISOString();
  const extensions = await listExtensions(client);
  const { largeObjects, note } = await digestLargeObjects(client, plan.budgetMs > 0);
  const digested = await digestTables(client, tables, plan, work);
  const { schema, ownership } = await rest.schema();
  return {
    format: 1,
    engine: "postgres",
    serverVersion: server.version,
    takenAt,
    schema,
    ...(ownership ? { ownership } : {}),
    tables: digested,
    sequences: rest.sequences,
    extensions,
    largeObjects,
    notCompared: sentences(digested, note),
  };
}

/** Compares a restored table as its original was compared; what was not there is counted. */
function planLike(like: Fingerprint): DigestPlan {
  const originals = new Map(like.tables.map((table) => [table.name, table]));
  return {
    budgetMs: Number.POSITIVE_INFINITY,
    compare(table) {
      const why = notComparable(table);
      if (why !== null) return { not: why };
      const original = originals.get(table.name);
      if (original?.compared === "not compared")
        return { not: original.note ?? "not compared at the source" };
      return original?.compared ?? "count";
    },
  };
}

/** The same fingerprint of a restored copy; `like` says which tables by content. */
export async function fingerprintRestored(
  target: Access,
  like: Fingerprint,
  work: WorkContext,
): Promise<Fingerprint> {
  const session = await openSession(target, { signal: work.signal, applicationName: work.applicationName });
  try {
    const { client } = session;
    const server = await readInfo(client, target);
    await beginSnapshot(client, { serverMajor: server.major, parallelWorkers: 2 });
    const tables = await listTables(client, { sizes: true });
    const sequences = await readSequences(client, await listSequences(client));
    const { rows } = await client.query<{ ok: boolean }>(
      "SELECT current_setting('is_superuser') = 'on' AS ok",
    );
    const superuser = rows[0]?.ok ?? false;
    const schema = async () => await schemaLike(target, { ...server, superuser }, like, work);
    return await takeFingerprint(client, server, tables, planLike(like), { sequences, schema }, work);
  } catch (error) {
    work.signal.throwIfAborted();
    throw error;
  } finally {
    await session.close();
  }
}

/** Digests by the program that made `like`'s, from a server of the same major; otherwise says why not. */
async function schemaLike(
  target: Access,
  server: ServerInfo & { superuser: boolean },
  like: Fingerprint,
  work: WorkContext,
): Promise<SchemaPart> {
  const { superuser } = server;
  const { method, digest } = like.schema;
  const [, version = "", major = ""] = /^pg_dump (\S+), server (\d+)$/.exec(method) ?? [];
  if (digest === null) return schemaPart(method, { failed: "the source has no schema digest" });
  if (Number(major) !== server.major) {
    const failed = `the source is PostgreSQL ${major}, this is ${server.major}, and each writes definitions in its own way`;
    return schemaPart(method, { failed });
  }
  const found = (await findClientTools()).filter((tools) => tools.major === Number.parseInt(version, 10));
  const tools = found.find((candidate) => candidate.version === version) ?? found[0];
  if (!tools) return schemaPart(method, { failed: `pg_dump ${version} is not on this machine` });
  const { env, secrets } = await clientEnvironment(target, work);
  const args = ["--format=custom", "--compress=0", "--schema-only", "--no-password"];
  const { tempDir, signal } = work;
  const made = await digestSchema({ program: tools.pgDump, args, env, secrets, tempDir, signal }, (error) =>
    dumpError(error, env.PGUSER ?? ""),
  );
  if (!("failed" in made) && made.schema !== digest && tools.version !== version) {
    const failed = `made by pg_dump ${version} there and ${tools.version} here, and the texts differ`;
    return schemaPart(method, { failed });
  }
  // The same text from another minor version is as good.
  const part = schemaPart(method, made);
  if (superuser) return part;
  const note = "not comparable: restored by an ordinary user, who owns all of it";
  return { ...part, ownership: { digest: null, note } };
}
