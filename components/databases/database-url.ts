/** What a database URL says, for filling the form; the server parses what is saved again. */
export interface UrlParts {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  tls: string | null;
}

/** Parts of postgres://user:password@host:5432/name?sslmode=require; null when it is not such a URL. */
export function parseDatabaseUrl(text: string): UrlParts | null {
  if (!/^postgres(ql)?:\/\//i.test(text.trim())) return null;
  try {
    // A URL must have a host; over a socket it stands in the query.
    const url = new URL(text.trim().replace(/^([a-z]+:\/\/[^/]*@)\//i, "$1socket/"));
    const sslmode = url.searchParams.get("sslmode");
    return {
      host: url.searchParams.get("host") ?? url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: Number(url.port || url.searchParams.get("port") || 5432),
      database: decodeURIComponent(url.pathname.replace(/^\//, "")),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      tls: sslmode === "allow" ? "prefer" : sslmode,
    };
  } catch {
    return null;
  }
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
