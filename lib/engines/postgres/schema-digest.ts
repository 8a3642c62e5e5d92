import { createHash } from "node:crypto";
import type { TocEntry } from "./archive-toc.ts";

/** More objects than this are compared by one digest, without saying which differ. */
const MAX_LISTED_OBJECTS = 2000;

/** Entries that hold data, or say how to read the archive. */
const NOT_SCHEMA = new Set([
  "TABLE DATA",
  "MATERIALIZED VIEW DATA",
  "SEQUENCE SET",
  "STATISTICS DATA",
  "BLOB",
  "BLOBS",
  "BLOB METADATA",
  "ENCODING",
  "STDSTRINGS",
  "SEARCHPATH",
  "DATABASE",
]);

/** Settings, comment and grants of the database itself: pg_restore leaves them out without --create. */
export function isAboutDatabase(entry: TocEntry): boolean {
  return entry.kind === "DATABASE PROPERTIES" || (entry.schema === null && entry.tag.startsWith("DATABASE "));
}

const isLargeObject = (entry: TocEntry): boolean => /^LARGE OBJECTS? /.test(entry.tag);

/** The public schema of every new database, listed only because its owner or grants were changed. */
const isGivenSchema = (entry: TocEntry): boolean =>
  entry.kind === "SCHEMA" && entry.definition.trimStart().startsWith("-- *not*");

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Statements of one ACL in an order that does not depend on how it came about. */
function sortedLines(definition: string): string {
  return definition.split("\n").sort().join("\n");
}

const NAME = String.raw`(?:"(?:[^"]|"")+"|[\w$]+)`;
const POLICY_ROLES = new RegExp(
  String.raw`^(CREATE POLICY ${NAME} ON ${NAME}\.${NAME}(?: AS RESTRICTIVE)?(?: FOR \w+)? TO )(${NAME}(?:, ${NAME})*)`,
);

/** The roles of a policy come in the order of their numbers, which each server gives anew. */
function normalised(entry: TocEntry): string {
  if (entry.kind !== "POLICY") return entry.definition;
  return entry.definition.replace(POLICY_ROLES, (_all, head: string, roles: string) => {
    const names = roles.match(new RegExp(NAME, "g")) ?? [];
    return `${head}${names.sort().join(", ")}`;
  });
}

export interface SchemaDigests {
  /** Of all objects' definitions, owners and grants left aside. */
  schema: string;
  /** Of owners, grants and default privileges. */
  ownership: string;
  /** "TABLE public.orders" → start of its digest; absent where there are too many. */
  objects?: Record<string, string>;
}

/**
 * Digest of a schema from the entries of pg_dump's archive. Entries are exact texts without comments, version
 * and nonce, and are taken in sorted order, so that two archives of equal schemas made by the same pg_dump
 * have the same digest.
 */
export class SchemaDigest {
  readonly #definitions: { label: string; digest: string }[] = [];
  readonly #ownership: string[] = [];

  add(entry: TocEntry): void {
    const { kind, schema, tag, owner } = entry;
    if (NOT_SCHEMA.has(kind) || isLargeObject(entry) || isAboutDatabase(entry)) return;
    if (kind === "ACL" || kind === "DEFAULT ACL") {
      this.#ownership.push(sha256(JSON.stringify([kind, schema, tag, sortedLines(entry.definition)])));
      return;
    }
    if (owner !== "") this.#ownership.push(sha256(JSON.stringify(["OWNER", kind, schema, tag, owner])));
    if (isGivenSchema(entry)) return;
    const content = [kind, schema, tag, normalised(entry), entry.tableAccessMethod];
    const label = `${kind} ${schema === null ? "" : `${schema}.`}${tag}`;
    this.#definitions.push({ label, digest: sha256(JSON.stringify(content)) });
  }

  finish(): SchemaDigests {
    const sorted = this.#definitions.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
    return {
      schema: sha256(sorted.map((object) => object.digest).join("\n")),
      ownership: sha256(this.#ownership.toSorted().join("\n")),
      ...(sorted.length > MAX_LISTED_OBJECTS ? {} : { objects: listObjects(sorted) }),
    };
  }
}

/** Overloaded operators share a label: the second is "… (2)". */
function listObjects(sorted: { label: string; digest: string }[]): Record<string, string> {
  const objects: Record<string, string> = {};
  for (const { label, digest } of sorted) {
    let unique = label;
    for (let nth = 2; unique in objects; nth++) unique = `${label} (${nth})`;
    objects[unique] = digest.slice(0, 12);
  }
  return objects;
}
