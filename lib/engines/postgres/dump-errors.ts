import type { Client } from "pg";
import { HoldfastError, messageOf } from "../../errors.ts";
import { CommandError } from "../../process/command-error.ts";
import { codeOf, isConnectionLost } from "./connect-errors.ts";
import { quoteIdentifier } from "./quote.ts";

/** Says in a sentence why pg_dump or pg_dumpall failed, and what to do; other errors pass as they are. */
export function dumpError(error: unknown, user: string): unknown {
  if (!(error instanceof CommandError)) return error;
  const text = error.stderrTail;
  const program = error.program.split("/").at(-1) ?? error.program;
  const first = /error: (.*)/.exec(text)?.[1] ?? error.message;
  const fail = (code: "refused" | "unavailable" | "timeout", message: string, remedy: string) =>
    new HoldfastError(code, message, { remedy, cause: error });
  const denied = /permission denied for (\w+(?: \w+)?) (.+)/.exec(text);
  if (denied) return permissionDenied(`${denied[1]} ${denied[2]}`, user, error);
  const rls = /row-level security policy for table (.+)/.exec(text);
  if (rls) {
    const message = `Row-level security hides rows of ${rls[1]} from user ${user}, and a backup must not be partial.`;
    return fail("refused", message, `As a superuser: ALTER ROLE ${quoteIdentifier(user)} BYPASSRLS;`);
  }
  if (/lock timeout|Lock-wait|could not obtain lock/i.test(text)) {
    const message = "A table was locked by another session for longer than the lock wait limit.";
    return fail(
      "timeout",
      message,
      "Wait until that session (often a migration) has ended, then back up again.",
    );
  }
  if (/server version mismatch/.test(text)) {
    const detail = /detail: (.*)/.exec(text)?.[1] ?? "";
    return fail(
      "unavailable",
      `${program} refuses the server's version: ${detail}`,
      "Install newer client tools.",
    );
  }
  if (/out of shared memory|max_locks_per_transaction/.test(text)) return outOfLocks(error);
  if (/server closed the connection|terminating connection|connection to server|SSL SYSCALL/.test(text)) {
    const message = `The connection to the server was lost while ${program} ran: ${first}`;
    return fail("unavailable", message, "Check that the server runs, then back up again.");
  }
  return new HoldfastError("unavailable", `${program} failed: ${first}`, {
    remedy: "The operation's log has all that it said.",
    cause: error,
  });
}

export function permissionDenied(what: string, user: string, cause: unknown): HoldfastError {
  return new HoldfastError("refused", `User ${user} may not read ${what}.`, {
    remedy: `Run the preflight for all that is missing, or as a superuser: GRANT pg_read_all_data TO ${quoteIdentifier(user)};`,
    cause,
  });
}

function outOfLocks(cause: unknown): HoldfastError {
  const message = "The server's lock table is too small for that many tables.";
  return new HoldfastError("unavailable", message, {
    remedy: "Raise max_locks_per_transaction at the server and restart it.",
    cause,
  });
}

/** Explains a failure of our own queries on the source; `ask` finds who holds a lock. */
export async function sourceError(
  error: unknown,
  user: string,
  ask: () => Promise<Client>,
): Promise<unknown> {
  if (error instanceof HoldfastError) return error;
  const code = codeOf(error);
  const message = messageOf(error);
  if (code === "42501") return permissionDenied(message.replace(/^permission denied for /, ""), user, error);
  if (code === "53200") return outOfLocks(error);
  if (code === "55P03") {
    const holders = await lockHolders(ask).catch(() => "");
    return new HoldfastError(
      "timeout",
      `A table was locked for longer than the lock wait limit${holders ? `: ${holders}` : ""}.`,
      { remedy: "Wait until that session (often a migration) has ended, then back up again.", cause: error },
    );
  }
  if (isConnectionLost(error)) {
    return new HoldfastError("unavailable", `The connection to the server was lost: ${message}`, {
      remedy: "Check that the server runs, then back up again.",
      cause: error,
    });
  }
  return error;
}

async function lockHolders(ask: () => Promise<Client>): Promise<string> {
  const client = await ask();
  try {
    const { rows } = await client.query<{ text: string }>(`
      SELECT l.relation::regclass::text || ' by process ' || l.pid
        || coalesce(' (' || nullif(a.application_name, '') || ')', '') AS text
      FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
        AND l.relation >= 16384
      ORDER BY a.xact_start LIMIT 3`);
    return rows.map((row) => row.text).join(", ");
  } finally {
    await client.end();
  }
}
