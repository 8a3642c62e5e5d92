const HIDDEN = "[redacted]";
/** Shorter texts would blank half of every line; they are hidden only where a pattern says so. */
const SHORTEST = 4;

/** Secrets by their shape, wherever they come from. Each keeps what stands before the secret. */
const PATTERNS: [RegExp, string][] = [
  // scheme://user:password@host (RFC 3986, 3.2.1)
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:)[^\s"']+(?=@)/gi, `$1${HIDDEN}`],
  // age identities (age-encryption.org/v1)
  [/AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]+/gi, HIDDEN],
  [/\b(authorization:\s*(?:basic|bearer)\s+)\S+/gi, `$1${HIDDEN}`],
  [/\b(bearer\s+)[\w.~+/-]{16,}=*/gi, `$1${HIDDEN}`],
  [/\bhf_[A-Za-z0-9_-]{43}\b/g, HIDDEN],
  // PGPASSWORD=…, password='…', "secret": "…"
  [
    /((?:\b|_|PG|MYSQL_)(?:password|passwd|passphrase|pwd|secret|secret_access_key|api_?key|token)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"']+)/gi,
    `$1${HIDDEN}`,
  ],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN],
];

/** Removes known secrets, and whatever looks like one, from texts before they are stored or shown. */
export class TextRedactor {
  #secrets: string[] = [];

  /** Hides these texts from now on: as they are, percent-encoded, in base64, and quoted for JSON and SQL. */
  hide(secrets: readonly (string | null | undefined)[]): void {
    const forms = new Set(this.#secrets);
    for (const secret of secrets) {
      if (!secret || secret.length < SHORTEST) continue;
      for (const form of formsOf(secret)) forms.add(form);
      // A key file or a multi-line secret appears line by line in a log.
      for (const line of secret.split(/\r?\n/)) if (line.trim().length >= 16) forms.add(line.trim());
    }
    this.#secrets = [...forms].sort((a, b) => b.length - a.length);
  }

  redact(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, HIDDEN);
    for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
    return clean;
  }
}

function formsOf(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    encodeURI(secret),
    Buffer.from(secret).toString("base64"),
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll("'", "''"),
  ].filter((form) => form.length >= SHORTEST);
}
