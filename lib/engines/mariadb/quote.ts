/** An SQL identifier, always quoted; ANSI_QUOTES or not. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** A text literal that means the same whether NO_BACKSLASH_ESCAPES is set or not. */
export function quoteLiteral(text: string): string {
  if (!text.includes("\\")) return `'${text.replaceAll("'", "''")}'`;
  return `CONVERT(0x${Buffer.from(text, "utf8").toString("hex")} USING utf8mb4)`;
}

/** 'user'@'host' */
export function quoteAccount(user: string, host: string): string {
  return `${quoteIdentifier(user)}@${quoteIdentifier(host)}`;
}

/** A value in an option file (MariaDB manual, "Configuring MariaDB with Option Files"). */
export function quoteOption(value: string): string {
  const escaped = value
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `"${escaped}"`;
}

/** One word of a POSIX shell command, for commands that people copy. */
export function quoteShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A text that means itself in a regular expression. */
export function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
