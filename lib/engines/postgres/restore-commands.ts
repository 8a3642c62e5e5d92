import type { ServerInfo } from "../engine.ts";
import { formatCollationOptions } from "./collation.ts";
import { quoteShell } from "./quote.ts";

/** Literal commands that restore the artefacts with stock tools; run as they are, the key in identity.txt. */
export function restoreCommands(
  files: { dump: string; globals: string | null; encrypted: boolean },
  info: ServerInfo,
): string[] {
  const open = (file: string) =>
    files.encrypted ? `age -d -i identity.txt ${quoteShell(file)} | zstd -d` : `zstd -dc ${quoteShell(file)}`;
  const encoding = info.encoding === null ? "" : ` --encoding=${quoteShell(info.encoding)}`;
  const locale = info.collation === null ? "" : ` ${formatCollationOptions(info.collation)}`;
  return [
    ...(files.globals === null ? [] : [`${open(files.globals)} | psql -X -d postgres`]),
    `createdb --template=template0${encoding}${locale} restored`,
    `${open(files.dump)} | pg_restore --exit-on-error --no-tablespaces -d restored`,
  ];
}
