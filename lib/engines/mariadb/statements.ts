import { Transform } from "node:stream";
import { HoldfastError } from "../../errors.ts";

/** A statement of definitions that is longer is none that a server wrote. */
const LONGEST_STATEMENT = 64 * 1024 * 1024;

/** What is changed in a dump on its way into a database; the stored artefact stays as it is. */
export interface Rewriting {
  /** Name of the database that is restored into. */
  database: string;
  /** Leave DEFINER clauses in, or let the restoring user become the definer. */
  definers: "keep" | "drop";
}

/** Text of a token and what it is; positions are of the statement's text. */
interface Token {
  kind: "word" | "name" | "text" | "sign";
  text: string;
  from: number;
  to: number;
}

/**
 * The next token from `at`. Comments that a server executes are read through, others are passed over. Null at the
 * end. A text that is not closed is a sign and what follows.
 * @param backslash false under NO_BACKSLASH_ESCAPES.
 */
export function nextToken(sql: string, at: number, backslash = true): Token | null {
  let from = at;
  for (;;) {
    const space = /\s+|\/\*M?!\d*|\*\/|\/\*(?!M?!)[\s\S]*?\*\/|(?:--(?=[ \t\n])|#)[^\n]*\n?/y;
    space.lastIndex = from;
    if (!space.exec(sql)) break;
    from = space.lastIndex;
  }
  if (from >= sql.length) return null;
  const patterns: [Token["kind"], RegExp][] = [
    ["name", /`(?:[^`]|``)*`/y],
    [
      "text",
      backslash ? /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"/y : /'(?:[^']|'')*'|"(?:[^"]|"")*"/y,
    ],
    ["word", /[\w$\u0080-\u00ff]+/y],
    ["sign", /[\s\S]/y],
  ];
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = from;
    const found = pattern.exec(sql);
    if (found) return { kind, text: found[0], from, to: pattern.lastIndex };
  }
  return null;
}

const word = (token: Token | null): string => (token?.kind === "word" ? token.text.toUpperCase() : "");

/** Words that may stand before DEFINER in a CREATE statement, and those that end the search for it. */
const MADE_BY_SOMEONE = /^(VIEW|TRIGGER|PROCEDURE|FUNCTION|EVENT|PACKAGE|AGGREGATE)$/;

/** Position of `DEFINER = account` in a CREATE statement, as the servers write it, or null. */
export function findDefiner(sql: string): { from: number; to: number } | null {
  let token = nextToken(sql, 0);
  if (word(token) !== "CREATE") return null;
  for (let steps = 0; token && steps < 16; steps++) {
    if (MADE_BY_SOMEONE.test(word(token))) return null;
    if (word(token) === "DEFINER") {
      const equals = nextToken(sql, token.to);
      const user = equals?.text === "=" ? nextToken(sql, equals.to) : null;
      if (!user) return null;
      const at = nextToken(sql, user.to);
      const host = at?.text === "@" ? nextToken(sql, at.to) : null;
      return { from: token.from, to: host?.to ?? user.to };
    }
    token = nextToken(sql, token.to);
  }
  return null;
}

/** One statement as it goes to the server. */
export function rewriteStatement(sql: string, { database, definers }: Rewriting): string {
  const first = nextToken(sql, 0);
  const second = first ? nextToken(sql, first.to) : null;
  if (word(first) === "ALTER" && word(second) === "DATABASE") {
    // Written around code that was made under another default character set; it names the dumped database.
    const name = second ? nextToken(sql, second.to) : null;
    if (name?.kind !== "name") return sql;
    const own = Buffer.from(`\`${database.replaceAll("`", "``")}\``, "utf8").toString("latin1");
    return sql.slice(0, name.from) + own + sql.slice(name.to);
  }
  assertOwn(sql, first, second);
  if (definers === "keep") return sql;
  const definer = findDefiner(sql);
  return definer ? sql.slice(0, definer.from) + sql.slice(definer.to) : sql;
}

/** What the dump programs write, by the first two words; "" is any. */
const OWN: Record<string, RegExp> = {
  SET: /^(?!(GLOBAL|PERSIST|PERSIST_ONLY|PASSWORD|ROLE|DEFAULT)$)/,
  CREATE: /^(?!(DATABASE|SCHEMA|USER|ROLE|SERVER|TABLESPACE|LOGFILE)$)/,
  DROP: /^(TABLE|TEMPORARY|VIEW|TRIGGER|PROCEDURE|FUNCTION|EVENT|SEQUENCE|PACKAGE)$/,
  ALTER: /^(TABLE|DATABASE|SEQUENCE)$/,
  INSERT: /^(INTO|IGNORE|DELAYED)$/,
  REPLACE: /^INTO$/,
  LOCK: /^TABLES?$/,
  UNLOCK: /^TABLES?$/,
  DO: /^/,
  COMMIT: /^/,
};

/** Throws `refused` for a statement that no dump of one database has: rights, programs, files, other databases. */
function assertOwn(sql: string, first: Token | null, second: Token | null): void {
  // A comment alone, or what is left of one for other servers.
  if (first === null || first.text === ";") return;
  const own = OWN[word(first)];
  const isGlobal = word(first) === "SET" && setsMore(sql, first.to);
  const isLibrary = word(first) === "CREATE" && /\bSONAME\b/i.test(sql.slice(0, 500));
  const replaces = /^\s*OR\s+REPLACE\s+(DATABASE|SCHEMA|USER|ROLE|SERVER)\b/i;
  const isReplacing = word(first) === "CREATE" && second !== null && replaces.test(sql.slice(second.from));
  if (own?.test(word(second)) && !isGlobal && !isLibrary && !isReplacing) return;
  throw foreign(`${first.text} ${second?.text ?? ""}`.trim().slice(0, 80));
}

/** Whether a SET reaches beyond its session, anywhere in its list, or runs another statement. */
function setsMore(sql: string, from: number): boolean {
  for (let token = nextToken(sql, from); token; token = nextToken(sql, token.to)) {
    if (/^(GLOBAL|PERSIST|PERSIST_ONLY|STATEMENT)$/.test(word(token))) return true;
  }
  return false;
}

function foreign(what: string): HoldfastError {
  return new HoldfastError("refused", `The dump has a statement that no dump of one database has: ${what}.`, {
    remedy: "Look at the dump by hand; it was not written by the server's own program.",
  });
}

const INSERT = Buffer.from("INSERT INTO `");
/** Before each piece of code a dump sets its mode, and takes it back after it. */
const SQL_MODE = /^\s*(?:\/\*M?!\d*)?\s*SET\s+(?:SESSION\s+)?sql_mode\s*=\s*(?:'([^']*)'|@\w+)/i;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const SEMICOLON = 59;

/**
 * Passes a dump through, statement by statement. Rows go by as they are: a dump writes each on lines of its own, and
 * a line break within a value as \n. Everything else is small, and is read token by token. Bytes that are not
 * UTF-8 stay what they are.
 */
export class StatementRewriter extends Transform {
  readonly #rewriting: Rewriting;
  readonly #onStatement: () => void;
  #rest = Buffer.alloc(0);
  #delimiter = ";";
  /** Whether a backslash escapes the character after it. */
  #backslash = true;
  /** Lines of a statement that is not complete yet. */
  #open = "";
  /** Whether the next line is one of rows, too. */
  #inRows = false;
  /** Whether the bytes at hand are within a line of rows; null: too few to tell. */
  #row: boolean | null = false;
  /** Last byte of that line so far. */
  #last = 0;

  constructor(rewriting: Rewriting, onStatement: () => void = () => undefined) {
    super();
    this.#rewriting = rewriting;
    this.#onStatement = onStatement;
  }

  /** Whether the last statement so far came to its end. */
  get complete(): boolean {
    return this.#open === "" && !this.#inRows && this.#row === false;
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    try {
      this.#take(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]));
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  override _flush(callback: (error?: Error | null) => void): void {
    try {
      if (this.#rest.length > 0) this.#line(this.#rest);
      // What is left has no end; the client says so better.
      if (this.#open !== "") this.push(Buffer.from(this.#open, "latin1"));
      callback();
    } catch (error) {
      callback(error as Error);
    }
  }

  #take(data: Buffer): void {
    let from = 0;
    while (from < data.length) {
      if (this.#row || this.#beginsRow(data, from)) {
        from = this.#passRow(data, from);
        continue;
      }
      const end = data.indexOf(NEWLINE, from);
      if (end < 0 || this.#row === null) break;
      this.#line(data.subarray(from, end + 1));
      from = end + 1;
    }
    this.#rest = Buffer.from(data.subarray(from));
    this.#row ??= false;
  }

  /** Whether a line of rows begins here; null in #row when more bytes are needed to tell. */
  #beginsRow(data: Buffer, from: number): boolean {
    if (this.#open !== "") return false;
    if (this.#inRows) return true;
    const there = data.subarray(from, from + INSERT.length);
    if (there.length < INSERT.length && INSERT.subarray(0, there.length).equals(there)) this.#row = null;
    return there.equals(INSERT);
  }

  /** Hands on the rest of a line of rows, however long it is, and says where the next line begins. */
  #passRow(data: Buffer, from: number): number {
    const end = data.indexOf(NEWLINE, from);
    const to = end < 0 ? data.length : end + 1;
    this.push(data.subarray(from, to));
    const last = data.subarray(from, end < 0 ? to : end).at(-1);
    if (last !== undefined && last !== CARRIAGE_RETURN) this.#last = last;
    this.#row = end < 0;
    if (end >= 0) {
      this.#inRows = this.#last !== SEMICOLON;
      this.#last = 0;
    }
    return to;
  }

  #line(bytes: Buffer): void {
    const line = bytes.toString("latin1");
    if (this.#open === "") {
      const delimiter = /^DELIMITER (\S+)\s*$/.exec(line)?.[1];
      if (delimiter !== undefined) this.#delimiter = delimiter;
      if (delimiter !== undefined || /^\s*$|^--|^\/\*M?!999999/.test(line)) {
        this.push(bytes);
        return;
      }
    }
    this.#open += line;
    if (this.#open.length > LONGEST_STATEMENT) throw foreign(`one of more than ${LONGEST_STATEMENT} bytes`);
    if (
      !line.trimEnd().endsWith(this.#delimiter) ||
      !isComplete(this.#open, this.#delimiter, this.#backslash)
    )
      return;
    this.push(Buffer.from(rewriteStatement(this.#open, this.#rewriting), "latin1"));
    const mode = SQL_MODE.exec(this.#open);
    if (mode) this.#backslash = !mode[1]?.includes("NO_BACKSLASH_ESCAPES");
    this.#open = "";
    this.#onStatement();
  }
}

/** Whether the delimiter at a text's end stands outside of quotes and comments. */
function isComplete(sql: string, delimiter: string, backslash: boolean): boolean {
  const end = sql.trimEnd().length - delimiter.length;
  let token = nextToken(sql, 0, backslash);
  while (token && token.from < end) token = nextToken(sql, token.to, backslash);
  return token !== null && token.from === end;
}
