import { HoldfastError, isHoldfastError, messageOf } from "../../errors.ts";
import { forbiddenHost } from "../../network/forbidden-address.ts";

/** Status codes of SFTP version 3 (draft-ietf-secsh-filexfer-02, section 7). */
export const NO_SUCH_FILE = 2;
export const PERMISSION_DENIED = 3;
const FAILURE = 4;

/** The protocol's status code or the network's error code, or null. */
export function sftpCode(error: unknown): number | string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "number" || typeof code === "string" ? code : null;
}

/** Any error as a sentence with a remedy (`unavailable`, or `forbidden` for what the user may not do). */
export function sftpFault(
  error: unknown,
  place: { host: string; port: number; user?: string },
): HoldfastError {
  const { host, port, user = "" } = place;
  if (isHoldfastError(error)) {
    return error.fields?.["connection.host"] === undefined ? error : forbiddenHost(host, "config.host");
  }
  const level = error instanceof Error && "level" in error ? error.level : null;
  if (level === "client-authentication") {
    const message = `${host} does not let ${user} in.`;
    return unavailable(error, message, "Check the user, and its password or key.", "config.user");
  }
  if (messageOf(error).startsWith("Cannot parse privateKey")) {
    return unavailable(
      error,
      "The private key can't be read.",
      "Enter it in OpenSSH or PEM format, with its passphrase.",
      "privateKey",
    );
  }
  switch (sftpCode(error)) {
    case NO_SUCH_FILE:
      return unavailable(
        error,
        `The folder is not there on ${host}.`,
        "Make it, and give the user access to it.",
        "config.folder",
      );
    case PERMISSION_DENIED:
      return new HoldfastError("forbidden", `${user} may not do this on ${host}.`, {
        remedy: "Give the user access to the folder.",
        fields: { "config.folder": `${user} may not do this there.` },
        cause: error,
      });
    case FAILURE:
      return unavailable(
        error,
        `${host} refuses: ${messageOf(error)}.`,
        "Its disk or quota may be full: look at its own log (sftp-server).",
      );
    case "ECONNREFUSED":
      return unavailable(
        error,
        `Nothing listens on port ${port} of ${host}.`,
        "Check the port, and that sshd runs.",
        "config.port",
      );
    case "ENOTFOUND":
      return unavailable(error, `There is no host ${host}.`, "Check the name.", "config.host");
    default: {
      const why = messageOf(error).replace(/\.$/, "");
      return unavailable(
        error,
        `${host} can't be reached: ${why}.`,
        "Check the server and the network, then try again.",
        "config.host",
      );
    }
  }
}

function unavailable(cause: unknown, message: string, remedy: string, field?: string): HoldfastError {
  const fields = field === undefined ? {} : { fields: { [field]: message } };
  return new HoldfastError("unavailable", message, { remedy, ...fields, cause });
}
