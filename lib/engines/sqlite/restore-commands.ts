import path from "node:path";
import type { ServerInfo } from "../engine.ts";

/** The literal commands that turn the stored file into a database again, with age, zstd and sqlite3 alone. */
export function sqliteRestoreCommands(
  files: { dump: string; globals: string | null; encrypted: boolean },
  info: ServerInfo,
): string[] {
  const name = shellWord(`restored-${path.basename(info.databaseName) || "database.sqlite"}`);
  const dump = shellWord(files.dump);
  const plain = files.encrypted ? `age -d -i identity.txt ${dump} | zstd -d` : `zstd -d < ${dump}`;
  return [`${plain} > ${name}`, `sqlite3 ${name} 'PRAGMA integrity_check'`];
}

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
