import type { ServerInfo } from "../engine.ts";
import type { Flavour } from "./flavour.ts";
import { quoteIdentifier, quoteShell } from "./quote.ts";

/** Literal commands that restore the artefacts with stock tools; run as they are, the key in identity.txt. */
export function restoreCommands(
  flavour: Flavour,
  files: { dump: string; globals: string | null; encrypted: boolean },
  info: ServerInfo,
): string[] {
  const open = (file: string) =>
    files.encrypted ? `age -d -i identity.txt ${quoteShell(file)} | zstd -d` : `zstd -dc ${quoteShell(file)}`;
  const client = flavour.programs.client[0] ?? "mysql";
  const set = info.encoding === null ? "" : ` CHARACTER SET ${info.encoding}`;
  const collate = info.collation === null ? "" : ` COLLATE ${info.collation}`;
  const create = `CREATE DATABASE ${quoteIdentifier("restored")}${set}${collate}`;
  return [
    // Accounts that are there already are errors, which --force passes over.
    ...(files.globals === null ? [] : [`${open(files.globals)} | ${client} --force`]),
    `${client} -e ${quoteShell(create)}`,
    `${open(files.dump)} | ${client} --binary-mode --default-character-set=utf8mb4 restored`,
  ];
}
