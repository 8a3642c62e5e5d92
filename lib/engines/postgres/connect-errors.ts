import type { PostgresConnection } from "../../databases/schema.ts";
import { HoldfastError, messageOf } from "../../errors.ts";

const CERTIFICATE_ERRORS = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** SQLSTATE or errno of an unknown error, or "". */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** Whether an error came because the connection went away, and not because of what was asked. */
export function isConnectionLost(error: unknown): boolean {
  const code = codeOf(error);
  return (
    ["57P01", "57P02", "57P03", "ECONNRESET", "EPIPE", "ETIMEDOUT"].includes(code) ||
    /^08/.test(code) ||
    /Connection terminated|not queryable|connection was closed/.test(messageOf(error))
  );
}

type Explained = {
  code: "refused" | "unavailable" | "timeout";
  what: string;
  remedy: string;
  field?: string;
};

function explain(error: unknown, to: PostgresConnection): Explained | null {
  const code = codeOf(error);
  const message = messageOf(error);
  const at = to.host.startsWith("/") ? `the socket in ${to.host}` : `${to.host}:${to.port}`;
  if (CERTIFICATE_ERRORS.has(code)) {
    return {
      code: "refused",
      what: `The certificate of ${at} is not trusted: ${message}.`,
      remedy: "Paste the certificate of the authority that signed it, or choose the TLS mode require.",
      field: "ca",
    };
  }
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return {
        code: "unavailable",
        what: `The name ${to.host} is not known to this machine's DNS.`,
        remedy: "Check the host's spelling, and that this worker uses a DNS that knows it.",
        field: "host",
      };
    case "ECONNREFUSED":
      return {
        code: "unavailable",
        what: `Nothing accepts connections at ${at}.`,
        remedy: "Check host and port, that the server runs, and its listen_addresses.",
        field: "port",
      };
    case "ENOENT":
    case "EACCES":
      return {
        code: "unavailable",
        what: `There is no PostgreSQL socket for port ${to.port} in ${to.host} that this worker can open.`,
        remedy: "Check the folder, the port and that the server runs on this machine.",
        field: "host",
      };
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return unreachable(at);
    case "28P01":
      return {
        code: "refused",
        what: `${at} does not accept the password of user ${to.user}.`,
        remedy: "Type the password again.",
        field: "password",
      };
    case "28000":
      return explainNotAuthorized(message, at, to);
    case "3D000":
      return {
        code: "refused",
        what: `There is no database ${to.database} at ${at}.`,
        remedy: "Check the database's name; it is case-sensitive.",
        field: "database",
      };
    case "42501":
    case "55000":
      return {
        code: "refused",
        what: `${at} refuses connections to database ${to.database}: ${message}.`,
        remedy: `GRANT CONNECT ON DATABASE to ${to.user}, or allow connections to it again.`,
        field: "database",
      };
    case "53300":
      return {
        code: "unavailable",
        what: `${at} has no free connection: ${message}.`,
        remedy: "End idle sessions or raise max_connections, then try again.",
      };
    case "57P03":
      return {
        code: "unavailable",
        what: `${at} is not ready: ${message}.`,
        remedy: "Wait until the server has started, then try again.",
      };
  }
  if (/timeout expired|connection timeout/i.test(message)) return unreachable(at);
  if (/does not support SSL/i.test(message)) {
    return {
      code: "refused",
      what: `${at} does not offer TLS.`,
      remedy: "Turn on ssl at the server, or choose the TLS mode prefer or disable.",
      field: "tls",
    };
  }
  if (/password must be a (non-empty )?string/i.test(message)) {
    return {
      code: "refused",
      what: `${at} asks for a password and none was given.`,
      remedy: `Give the password of user ${to.user}.`,
      field: "password",
    };
  }
  return null;
}

function unreachable(at: string): Explained {
  return {
    code: "timeout",
    what: `${at} does not answer.`,
    remedy: "Check host and port, and that firewalls let this worker's machine through.",
    field: "host",
  };
}

function explainNotAuthorized(message: string, at: string, to: PostgresConnection): Explained {
  if (/pg_hba\.conf/.test(message)) {
    return {
      code: "refused",
      what: `${at} does not let this machine in: ${message}.`,
      remedy: `Add a line for user ${to.user} and this address to pg_hba.conf${/no encryption/.test(message) ? ", or choose a TLS mode that encrypts" : ""}.`,
    };
  }
  return {
    code: "refused",
    what: `${at} does not accept user ${to.user}: ${message}.`,
    remedy: "Check the user's name, and that the role has LOGIN.",
    field: "user",
  };
}

/** Turns a failure to connect into a sentence with a remedy; never holds the password. */
export function connectError(error: unknown, to: PostgresConnection): HoldfastError {
  if (error instanceof HoldfastError) return error;
  // Node tries every address of a name and reports all failures at once.
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const found = explain(first, to);
  if (!found) {
    const at = to.host.startsWith("/") ? to.host : `${to.host}:${to.port}`;
    return new HoldfastError("unavailable", `Connecting to ${at} failed: ${messageOf(first)}`, {
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
