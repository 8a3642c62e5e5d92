import { setTimeout as delay } from "node:timers/promises";
import type { Access, WorkContext } from "../engine.ts";
import type { Session } from "./connect.ts";
import { openSession } from "./connect.ts";
import type { Flavour } from "./flavour.ts";
import { quoteLiteral } from "./quote.ts";
import { ownSessions } from "./sessions.ts";

const EVERY_MS = 2_000;
const LONGEST_QUERY = 100;

/** One session that works for us, at one moment. */
export interface Sample {
  id: number;
  command: string;
  seconds: number;
  state: string | null;
  query: string | null;
  /** Rows that its statement has read so far; always 0 where the server does not tell. */
  examined: number;
}

/**
 * Runs work in a database and looks at its sessions from the side meanwhile: one statement may take hours without
 * a word (a digest, a check, an index). Tells through `sign` whether any of them gets on. A server that does not
 * answer gives no sign.
 * @param alone whether nobody else uses the database, so that every session in it is ours.
 */
export async function watched<T>(
  flavour: Flavour,
  access: Access,
  work: WorkContext,
  alone: boolean,
  run: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const watching = watch(flavour, access, work, alone, AbortSignal.any([work.signal, over.signal]));
  try {
    return await run();
  } finally {
    over.abort();
    await watching;
  }
}

async function watch(
  flavour: Flavour,
  access: Access,
  work: WorkContext,
  alone: boolean,
  over: AbortSignal,
): Promise<void> {
  let session: Session | null = null;
  let before: Sample[] = [];
  const hangUp = async () => {
    await session?.close().catch(() => undefined);
    session = null;
  };
  while (!over.aborted) {
    await delay(EVERY_MS, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) break;
    try {
      session ??= await openSession(flavour, access, { applicationName: work.applicationName });
      const now = await takeSamples(session, work.applicationName, alone);
      tell(work, before, now);
      before = now;
    } catch {
      // Who looks on must not be in the way; what is wrong with the server shows in the work itself.
      await hangUp();
    }
  }
  await hangUp();
}

async function takeSamples(session: Session, applicationName: string, alone: boolean): Promise<Sample[]> {
  const ids = await ownSessions(session, applicationName);
  const own = `ID IN (${[0, ...ids].join(", ")})`;
  const examined = session.flavour.kind === "mariadb" ? "EXAMINED_ROWS" : "0";
  return await session.rows<Sample>(
    `SELECT ID AS id, COMMAND AS command, TIME AS seconds, STATE AS state, LEFT(INFO, 200) AS query,
       ${examined} AS examined
     FROM information_schema.PROCESSLIST
     WHERE COMMAND <> 'Sleep' AND ID <> CONNECTION_ID()
       AND (${own}${alone ? ` OR DB = DATABASE() AND DB <> ${quoteLiteral("")}` : ""}) ORDER BY TIME DESC`,
  );
}

function tell(work: WorkContext, before: readonly Sample[], now: readonly Sample[]): void {
  const moving = now.some((sample) =>
    moves(
      before.find(({ id }) => id === sample.id),
      sample,
    ),
  );
  if (moving) work.sign?.({ moving: true });
  else if (now.length > 0) work.sign?.({ moving: false, why: standstill(now) });
}

/** Whether a session got on between two looks. Waiting for a lock is not getting on; whatever else it does, is. */
export function moves(before: Sample | undefined, now: Sample): boolean {
  if (!before || before.query !== now.query || before.seconds > now.seconds) return true;
  if (before.examined !== now.examined) return true;
  return !/^(Waiting for|Locked|System lock|User lock)/i.test(now.state ?? "");
}

/** "ALTER TABLE … waits (Waiting for table metadata lock)" */
function standstill(now: readonly Sample[]): string {
  const [first] = now;
  if (!first) return "";
  const text = (first.query ?? first.command).replaceAll(/\s+/g, " ").trim();
  const query = text.length > LONGEST_QUERY ? `${text.slice(0, LONGEST_QUERY)}…` : text;
  return `${query} waits (${first.state ?? first.command})`;
}
