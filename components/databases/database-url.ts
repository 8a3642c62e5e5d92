/** What a database URL says, for filling the form; the server parses what is saved again. */
export interface UrlParts {
  /** Of MariaDB and MySQL, which share a scheme, the one that is written. */
  engine: "postgres" | "mariadb" | "mysql";
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  tls: string | null;
}

/** Parts of postgres://user:password@host:5432/name?sslmode=require, or of mysql:// and mariadb://; null when it is not such a URL. */
export function parseDatabaseUrl(text: string): UrlParts | null {
  const scheme = /^(postgres(?:ql)?|mysql|mariadb):\/\//i.exec(text.trim())?.[1]?.toLowerCase();
  if (!scheme) return null;
  const engine = scheme === "mysql" || scheme === "mariadb" ? scheme : "postgres";
  try {
    // A URL must have a host; over a socket it stands in the query.
    const url = new URL(text.trim().replace(/^([a-z]+:\/\/[^/]*@)\//i, "$1socket/"));
    const sslmode = tlsOf(url.searchParams.get("sslmode") ?? url.searchParams.get("ssl-mode"));
    return {
      engine,
      host:
        url.searchParams.get("host") ??
        url.searchParams.get("socket") ??
        url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: Number(url.port || url.searchParams.get("port") || (engine === "postgres" ? 5432 : 3306)),
      database: decodeURIComponent(url.pathname.replace(/^\//, "")),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      tls: sslmode,
    };
  } catch {
    return null;
  }
}

/** The form's name of a TLS mode, as libpq and as MySQL's programs call it. */
function tlsOf(mode: string | null): string | null {
  const names: Record<string, string> = {
    allow: "prefer",
    disabled: "disable",
    preferred: "prefer",
    required: "require",
    verify_ca: "verify-ca",
    verify_identity: "verify-full",
  };
  return mode === null ? null : (names[mode.toLowerCase()] ?? mode);
}

/** A free name to propose: shop in staging → "shop-staging". */
export function proposeName(database: string, environment: string): string {
  const plain = database
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  if (!plain || !environment || plain.endsWith(`-${environment}`)) return plain.slice(0, 63);
  return `${plain}-${environment}`.slice(0, 63);
}
