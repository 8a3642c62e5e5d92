import type { TocEntry } from "./archive-toc.ts";
import { isAboutDatabase } from "./schema-digest.ts";

/** What a restore needs to know beforehand about an archive, gathered from its entries. */
export class ArchiveContents {
  /** Names of the extensions that it creates. */
  readonly extensions: string[] = [];
  /** Settings, comment and grants of the database itself, and its owner as "DATABASE". */
  readonly aboutDatabase: TocEntry[] = [];
  /** Entries that only a superuser can restore. */
  readonly superuserOnly: TocEntry[] = [];
  /** Comments on extensions: of one that was there before, only its owner may write it. */
  readonly extensionComments: TocEntry[] = [];
  /** Numbers of all entries, in order. */
  readonly ids: number[] = [];

  add(entry: TocEntry): void {
    this.ids.push(entry.id);
    if (entry.kind === "EXTENSION") this.extensions.push(entry.tag);
    if (entry.kind === "COMMENT" && entry.tag.startsWith("EXTENSION ")) this.extensionComments.push(entry);
    if (isAboutDatabase(entry) || entry.kind === "DATABASE") this.aboutDatabase.push(entry);
    if (needsSuperuser(entry)) this.superuserOnly.push({ ...entry, definition: "" });
  }
}

/** The entries that an ordinary user must leave out; `silent` ones change nothing, because they are there. */
export function leftOut(
  contents: ArchiveContents,
  target: { superuser: boolean; extensions: readonly string[] },
): { named: TocEntry[]; silent: TocEntry[] } {
  if (target.superuser) return { named: [], silent: [] };
  const present = new Set(target.extensions.flatMap((name) => [`EXTENSION ${name}`, `EXTENSION "${name}"`]));
  return {
    named: contents.superuserOnly,
    silent: contents.extensionComments.filter((entry) => present.has(entry.tag)),
  };
}

function needsSuperuser({ kind, tag, definition }: TocEntry): boolean {
  if (kind === "EVENT TRIGGER" || kind === "SUBSCRIPTION") return true;
  if (kind === "COMMENT") return tag.startsWith("EVENT TRIGGER ") || tag.startsWith("SUBSCRIPTION ");
  return kind === "PUBLICATION" && / FOR (ALL TABLES|TABLES IN SCHEMA)/.test(definition);
}
