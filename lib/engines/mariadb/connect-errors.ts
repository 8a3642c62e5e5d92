import type { MariadbConnection } from "../../databases/schema.ts";
import { HoldfastError, messageOf } from "../../errors.ts";
import type { Flavour } from "./flavour.ts";

/** Error number of the server (MariaDB manual, "MariaDB Error Codes"), or 0. */
export function numberOf(error: unknown): number {
  const number = (error as { errno?: unknown } | null)?.errno;
  return typeof number === "number" ? number : 0;
}

/** What the server itself said, without what the connector adds to it: the statement and its parameters. */
export function sentenceOf(error: unknown): string {
  const said = (error as { sqlMessage?: unknown } | null)?.sqlMessage;
  if (typeof said === "string" && said !== "") return said;
  return messageOf(error)
    .replace(/^\(conn:.*?\) /, "")
    .split("\nsql:")[0]
    ?.trim() as string;
}

/** Whether an error came because the connection went away, and not because of what was asked. */
export function isConnectionLost(error: unknown): boolean {
  const number = numberOf(error);
  // Server shutdown, gone away, lost, killed; above 45000 those of the connector.
  if ([1053, 1077, 1152, 1153, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 3169, 4031].includes(number))
    return true;
  return /ECONNRESET|EPIPE|ETIMEDOUT|socket has unexpectedly been closed|Connection destroyed|connection (is )?closed|new command .* closed/i.test(
    `${(error as { code?: unknown } | null)?.code ?? ""} ${messageOf(error)}`,
  );
}

/** Numbers of "you may not do that": 1045 also, which managed servers give for FLUSH TABLES WITH READ LOCK. */
const DENIED = [1044, 1045, 1142, 1143, 1227, 1370, 1419];
export const isDenied = (error: unknown): boolean => DENIED.includes(numberOf(error));

interface Explained {
  code: "refused" | "unavailable" | "timeout";
  what: string;
  remedy: string;
  field?: string;
}

export function placeOf(to: Pick<MariadbConnection, "host" | "port">): string {
  return to.host.startsWith("/") ? `the socket ${to.host}` : `${to.host}:${to.port}`;
}

function explain(flavour: Flavour, error: unknown, to: MariadbConnection): Explained | null {
  const at = placeOf(to);
  const said = sentenceOf(error);
  switch (numberOf(error)) {
    case 1045:
    case 1698:
      return {
        code: "refused",
        what: `${at} does not accept the password of user ${to.user}: ${said}.`,
        remedy: "Type the password again, and check that the account may connect from this worker's machine.",
        field: "password",
      };
    case 1049:
      return {
        code: "refused",
        what: `There is no database ${to.database} at ${at}.`,
        remedy: "Check the database's name; it is case-sensitive on most servers.",
        field: "database",
      };
    case 1044:
      return {
        code: "refused",
        what: `User ${to.user} may not use database ${to.database} at ${at}, or there is none of this name.`,
        remedy: "Check the name, and grant the user access to it.",
        field: "database",
      };
    case 1130:
      return {
        code: "refused",
        what: `${at} does not let this machine in: ${said}.`,
        remedy: `Make an account for ${to.user} at this worker's address.`,
      };
    case 1040:
    case 1203:
    case 1226:
      return {
        code: "unavailable",
        what: `${at} has no free connection: ${said}.`,
        remedy: "End idle sessions or raise max_connections, then try again.",
      };
    case 1524:
    case 1251:
      return {
        code: "refused",
        what: `${at} wants a way to log in that is not known here: ${said}.`,
        remedy: "Give the account a password with mysql_native_password, ed25519 or caching_sha2_password.",
        field: "user",
      };
  }
  return explainNetwork(flavour, error, to, at);
}

function explainNetwork(
  flavour: Flavour,
  error: unknown,
  to: MariadbConnection,
  at: string,
): Explained | null {
  const cause = (error as { cause?: unknown } | null)?.cause;
  const text = [error, cause]
    .map(
      (one) => `${(one as { code?: unknown } | null | undefined)?.code ?? ""} ${one ? messageOf(one) : ""}`,
    )
    .join(" ");
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) {
    return {
      code: "unavailable",
      what: `The name ${to.host} is not known to this machine's DNS.`,
      remedy: "Check the host's spelling, and that this worker uses a DNS that knows it.",
      field: "host",
    };
  }
  if (/ENOENT|EACCES|ENOTSOCK/.test(text) || (to.host.startsWith("/") && /ECONNREFUSED/.test(text))) {
    return {
      code: "unavailable",
      what: `There is no ${flavour.label} socket ${to.host} that this worker can open.`,
      remedy: "Give the socket's full path, and check that the server runs on this machine.",
      field: "host",
    };
  }
  if (/ECONNREFUSED/.test(text)) {
    return {
      code: "unavailable",
      what: `Nothing accepts connections at ${at}.`,
      remedy: "Check host and port, that the server runs, and its bind-address.",
      field: "port",
    };
  }
  if (/server does not support|SSL (is )?not (enabled|supported)|ER_SERVER_SSL_DISABLED/i.test(text)) {
    return {
      code: "refused",
      what: `${at} does not offer TLS.`,
      remedy: "Set ssl_cert and ssl_key at the server, or choose the TLS mode prefer or disable.",
      field: "tls",
    };
  }
  if (/CERT|self.signed|unable to (get|verify)|altname|certificate/i.test(text)) {
    return {
      code: "refused",
      what: `The certificate of ${at} is not trusted: ${sentenceOf(error)}.`,
      remedy: "Paste the certificate of the authority that signed it, or choose the TLS mode require.",
      field: "ca",
    };
  }
  if (/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|timeout/i.test(text)) {
    return {
      code: "timeout",
      what: `${at} does not answer.`,
      remedy: "Check host and port, and that firewalls let this worker's machine through.",
      field: "host",
    };
  }
  return null;
}

/** Turns a failure to connect into a sentence with a remedy; never holds the password. */
export function connectError(flavour: Flavour, error: unknown, to: MariadbConnection): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const { cause } = error as { cause?: unknown };
  if (cause instanceof HoldfastError) return cause;
  const found = explain(flavour, error, to);
  if (!found) {
    return new HoldfastError("unavailable", `Connecting to ${placeOf(to)} failed: ${sentenceOf(error)}`, {
      remedy: "Check host, port, user, password and TLS mode, then try again.",
      cause: error,
    });
  }
  return new HoldfastError(found.code, found.what, {
    remedy: found.remedy,
    ...(found.field === undefined ? {} : { fields: { [`connection.${found.field}`]: found.what } }),
    cause: error,
  });
}
