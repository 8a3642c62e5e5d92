import type { PostgresConnection } from "../../databases/schema.ts";
import { postgresConnectionSchema } from "../../databases/schema.ts";
import type { FieldErrors } from "../../errors.ts";
import { HoldfastError } from "../../errors.ts";
import type { Access } from "../engine.ts";

const EXAMPLE = "postgresql://user:password@host:5432/database";

/** What libpq, node-postgres and Prisma call the same thing. */
const TLS_OF_SSLMODE: Record<string, PostgresConnection["tls"]> = {
  disable: "disable",
  allow: "prefer",
  prefer: "prefer",
  require: "require",
  "no-verify": "require",
  "verify-ca": "verify-ca",
  "verify-full": "verify-full",
};

/** Validates a connection; throws `invalid` with fields under "connection.". */
export function parseConnection(connection: Record<string, unknown>): PostgresConnection {
  const parsed = postgresConnectionSchema.safeParse(connection);
  const fields: FieldErrors = {};
  if (!parsed.success) {
    for (const issue of parsed.error.issues) fields[`connection.${issue.path.join(".")}`] ??= issue.message;
    throw invalid(fields);
  }
  for (const name of ["host", "database", "user"] as const) {
    if (parsed.data[name].includes("\0")) fields[`connection.${name}`] = "This has a zero character in it.";
  }
  // libpq would read a list of servers.
  if (parsed.data.host.includes(",")) fields["connection.host"] = "This names several servers; give one.";
  if (parsed.data.ca !== undefined && !parsed.data.ca.includes("-----BEGIN CERTIFICATE-----")) {
    fields["connection.ca"] = "Paste the certificate in PEM form (-----BEGIN CERTIFICATE-----).";
  }
  if (Object.keys(fields).length > 0) throw invalid(fields);
  return parsed.data;
}

function invalid(fields: FieldErrors): HoldfastError {
  const [first] = Object.values(fields);
  return new HoldfastError("invalid", `The connection is not complete or not right: ${first}`, {
    remedy: "Correct the marked fields.",
    fields,
  });
}

function badUrl(message: string): HoldfastError {
  return new HoldfastError("invalid", `This is not a usable PostgreSQL URL: ${message}`, {
    remedy: `Write it as ${EXAMPLE}, with special characters percent-encoded.`,
    fields: { url: message },
  });
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl(`the ${part} has a % that is not followed by two hexadecimal digits; write it as %25.`);
  }
}

function hostAndPort(authority: string): { host: string; port: string } {
  if (authority.includes(",")) throw badUrl("it names several servers; give one.");
  const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority);
  if (!match) throw badUrl("the part after @ is not host:port.");
  const host = decode(match[1] ?? "", "host");
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: match[2] ?? "" };
}

/**
 * Reads a connection URI as libpq does (PostgreSQL manual, "Connection URIs"), unix sockets included:
 * `postgresql:///db?host=/run/postgresql`. Throws `invalid` with the field `url`.
 */
export function parseUrl(url: string): Access {
  const match = /^postgres(?:ql)?:\/\/(?:([^/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url.trim());
  if (!match) throw badUrl("it does not start with postgresql://.");
  const [, userInfo = "", authority = "", path = "", query = ""] = match;
  const colon = userInfo.indexOf(":");
  const params = new URLSearchParams(query);
  const given = (name: string, fallback: string): string => params.get(name) ?? fallback;
  const { host, port } = hostAndPort(authority);
  const portText = given("port", port);
  if (portText !== "" && !/^\d{1,5}$/.test(portText)) throw badUrl(`the port ${portText} is not a number.`);
  const user = given("user", decode(colon < 0 ? userInfo : userInfo.slice(0, colon), "user"));
  const password = given("password", colon < 0 ? "" : decode(userInfo.slice(colon + 1), "password"));
  const connection = {
    host: given("host", host) || "localhost",
    port: portText === "" ? 5432 : Number(portText),
    database: given("dbname", decode(path, "database")) || user,
    user,
    tls: tlsOf(params),
  };
  if (user === "") throw badUrl("the user is missing.");
  const checked = checkParts(connection);
  return { connection: checked, ...(password === "" ? {} : { password }) };
}

function tlsOf(params: URLSearchParams): PostgresConnection["tls"] {
  if (params.has("sslrootcert") && params.get("sslrootcert") !== "system") {
    throw badUrl("sslrootcert names a file; paste the certificate into the field for it instead.");
  }
  const mode = params.get("sslmode") ?? (params.get("ssl") === "true" ? "require" : "prefer");
  const tls = TLS_OF_SSLMODE[mode];
  if (!tls) throw badUrl(`sslmode ${mode} is not one of ${Object.keys(TLS_OF_SSLMODE).join(", ")}.`);
  return tls;
}

function checkParts(connection: Record<string, unknown>): PostgresConnection {
  try {
    return parseConnection(connection);
  } catch (error) {
    if (error instanceof HoldfastError && error.fields) {
      throw badUrl(Object.values(error.fields).join(" "));
    }
    throw error;
  }
}
