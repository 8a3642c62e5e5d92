/** Where a quoted or commented part that begins at `at` ends; `at` itself where none begins. */
function skipQuoted(sql: string, at: number): number {
  const rest = (from: number, end: string) => {
    const found = sql.indexOf(end, from);
    return found < 0 ? sql.length : found + end.length;
  };
  const two = sql.slice(at, at + 2);
  if (two === "--") return rest(at, "\n");
  if (two === "/*") return rest(at + 2, "*/");
  const dollar = /^\$(?:[A-Za-z_]\w*)?\$/.exec(sql.slice(at, at + 70));
  if (dollar) return rest(at + dollar[0].length, dollar[0]);
  const quote = sql[at];
  if (quote !== "'" && quote !== '"') return at;
  const backslashes = quote === "'" && /(^|\W)E$/i.test(sql.slice(Math.max(0, at - 2), at));
  let end = at + 1;
  while (end < sql.length) {
    if (backslashes && sql[end] === "\\") end += 2;
    else if (sql[end] === quote && sql[end + 1] === quote) end += 2;
    else if (sql[end] === quote) return end + 1;
    else end++;
  }
  return sql.length;
}

/**
 * Splits a script of pg_dumpall into statements, without comments around them. Commands of psql (lines that
 * begin with a backslash) are not statements and are dropped: nothing of a script can reach a shell.
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let text = "";
  let at = 0;
  while (at < sql.length) {
    const lineStart = text.trim() === "" && (at === 0 || sql[at - 1] === "\n");
    if (sql[at] === "\\" && lineStart) {
      at = skipQuotedLine(sql, at);
      continue;
    }
    const end = skipQuoted(sql, at);
    if (end > at) {
      const part = sql.slice(at, end);
      if (!part.startsWith("--") && !part.startsWith("/*")) text += part;
      at = end;
      continue;
    }
    if (sql[at] === ";") {
      if (text.trim() !== "") statements.push(text.trim());
      text = "";
    } else {
      text += sql[at];
    }
    at++;
  }
  if (text.trim() !== "") statements.push(text.trim());
  return statements;
}

function skipQuotedLine(sql: string, at: number): number {
  const end = sql.indexOf("\n", at);
  return end < 0 ? sql.length : end + 1;
}
