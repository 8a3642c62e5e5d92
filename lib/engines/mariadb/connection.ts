import type { MariadbConnection } from "../../databases/schema.ts";
import { mariadbConnectionSchema } from "../../databases/schema.ts";
import type { FieldErrors } from "../../errors.ts";
import { HoldfastError } from "../../errors.ts";
import type { Access } from "../engine.ts";
import type { Flavour } from "./flavour.ts";

/** What the programs (ssl-mode), connectors and frameworks call the same thing. */
const TLS_OF_MODE: Record<string, MariadbConnection["tls"]> = {
  disabled: "disable",
  disable: "disable",
  false: "disable",
  "0": "disable",
  preferred: "prefer",
  prefer: "prefer",
  required: "require",
  require: "require",
  trust: "require",
  true: "require",
  "1": "require",
  verify_ca: "verify-ca",
  "verify-ca": "verify-ca",
  verify_identity: "verify-full",
  "verify-identity": "verify-full",
  "verify-full": "verify-full",
};

const EXAMPLE = "://user:password@host:3306/database";

/** Validates a connection; throws `invalid` with fields under "connection.". */
export function parseConnection(flavour: Flavour, connection: Record<string, unknown>): MariadbConnection {
  const parsed = mariadbConnectionSchema.safeParse(connection);
  const fields: FieldErrors = {};
  if (!parsed.success) {
    for (const issue of parsed.error.issues) fields[`connection.${issue.path.join(".")}`] ??= issue.message;
    throw invalid(fields);
  }
  const { data } = parsed;
  for (const name of ["host", "database", "user"] as const) {
    if (data[name].includes("\0")) fields[`connection.${name}`] = "This has a zero character in it.";
  }
  if (data.host.includes(",")) fields["connection.host"] = "This names several servers; give one.";
  if (data.ca !== undefined && !data.ca.includes("-----BEGIN CERTIFICATE-----")) {
    fields["connection.ca"] = "Paste the certificate in PEM form (-----BEGIN CERTIFICATE-----).";
  }
  if (data.tls === "verify-ca" && !flavour.verifiesAuthorityAlone) {
    fields["connection.tls"] =
      "MariaDB's programs check authority and name together: choose the TLS mode verify-full.";
  }
  if (data.ca !== undefined && ["prefer", "require"].includes(data.tls) && !flavour.verifiesAuthorityAlone) {
    fields["connection.tls"] = "With a certificate of an authority, choose the TLS mode verify-full.";
  }
  if (Object.keys(fields).length > 0) throw invalid(fields);
  return data;
}

function invalid(fields: FieldErrors): HoldfastError {
  const [first] = Object.values(fields);
  return new HoldfastError("invalid", `The connection is not complete or not right: ${first}`, {
    remedy: "Correct the marked fields.",
    fields,
  });
}

function badUrl(flavour: Flavour, message: string): HoldfastError {
  return new HoldfastError("invalid", `This is not a usable ${flavour.label} URL: ${message}`, {
    remedy: `Write it as ${flavour.kind}${EXAMPLE}, with special characters percent-encoded.`,
    fields: { url: message },
  });
}

/**
 * Reads a URL as frameworks write it: `mysql://` or `mariadb://`, with `ssl-mode` (also `sslmode`, `ssl`) and
 * `socket` as parameters. Throws `invalid` with the field `url`.
 */
export function parseUrl(flavour: Flavour, url: string): Access {
  const match = /^(?:mysql|mariadb):\/\/(?:([^/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url.trim());
  if (!match) throw badUrl(flavour, `it does not start with ${flavour.kind}://.`);
  const [, userInfo = "", authority = "", path = "", query = ""] = match;
  const decode = (text: string, part: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      throw badUrl(
        flavour,
        `the ${part} has a % that is not followed by two hexadecimal digits; write it as %25.`,
      );
    }
  };
  const params = new URLSearchParams(query);
  const colon = userInfo.indexOf(":");
  const user = decode(colon < 0 ? userInfo : userInfo.slice(0, colon), "user");
  const password = colon < 0 ? "" : decode(userInfo.slice(colon + 1), "password");
  const place = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(authority);
  if (!place) throw badUrl(flavour, "the part after @ is not host:port.");
  if (user === "") throw badUrl(flavour, "the user is missing.");
  const mode = (
    params.get("ssl-mode") ??
    params.get("sslmode") ??
    params.get("ssl") ??
    "prefer"
  ).toLowerCase();
  const tls = TLS_OF_MODE[mode];
  if (!tls) throw badUrl(flavour, `the TLS mode ${mode} is not known.`);
  const host = decode(place[1] ?? "", "host").replace(/^\[(.*)\]$/, "$1");
  const connection = {
    host: (params.get("socket") ?? host) || "localhost",
    port: Number(place[2] ?? 3306),
    database: decode(path, "database"),
    user,
    tls,
  };
  try {
    const checked = parseConnection(flavour, connection);
    return { connection: { ...checked }, ...(password === "" ? {} : { password }) };
  } catch (error) {
    if (!(error instanceof HoldfastError) || !error.fields) throw error;
    throw badUrl(flavour, Object.values(error.fields).join(" "));
  }
}

/** The same server and user, another database. */
export function accessTo(on: Access, database: string): Access {
  return { ...on, connection: { ...on.connection, database } };
}
