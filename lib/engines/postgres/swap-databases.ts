import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { HoldfastError, messageOf } from "../../errors.ts";
import type { Access, SettledSwap, Swap, WorkContext } from "../engine.ts";
import { connectBeside } from "./connect-beside.ts";
import { codeOf } from "./connect-errors.ts";
import { MAX_NAME_BYTES, OBJECT_IN_USE } from "./manage-databases.ts";
import { explained, inUse } from "./manage-errors.ts";
import { quoteIdentifier } from "./quote.ts";
import { endAllOwnSessions, endOwnSessions, listSessions } from "./sessions.ts";

/** Less than an orphaned transfer has before it is ended. */
const REOPEN_MS = 6_000;

interface Found {
  name: string;
  id: string;
  open: boolean;
}

/** "shop_before_20260102030405", shortened so that it fits. */
function nameWith(name: string, word: string, stamp: string): string {
  const ending = `_${word}_${stamp}`;
  let kept = name;
  while (Buffer.byteLength(kept) + ending.length > MAX_NAME_BYTES) kept = [...kept].slice(0, -1).join("");
  return `${kept}${ending}`;
}

const allow = (name: string, yes: boolean) =>
  `ALTER DATABASE ${quoteIdentifier(name)} ALLOW_CONNECTIONS ${yes}`;
const renameTo = (name: string, next: string) =>
  `ALTER DATABASE ${quoteIdentifier(name)} RENAME TO ${quoteIdentifier(next)}`;

/** Databases of these numbers, which stay what they are when names change. */
async function findById(client: Client, ids: readonly string[]): Promise<(Found | undefined)[]> {
  const { rows } = await client.query<Found>(
    `SELECT datname AS name, oid::text AS id, datallowconn AS open FROM pg_catalog.pg_database
     WHERE oid = ANY ($1::oid[])`,
    [ids],
  );
  return ids.map((id) => rows.find((row) => row.id === id));
}

/** What a swap is going to do. Changes nothing; throws `not_found` when one of the two is not there. */
export async function planSwap(
  on: Access,
  from: string,
  to: string,
  endSessions: boolean,
  work: WorkContext,
): Promise<Swap> {
  const client = await connectBeside(on, [from, to], work);
  try {
    const { rows } = await client.query<Found>(
      `SELECT datname AS name, oid::text AS id, datallowconn AS open FROM pg_catalog.pg_database
       WHERE datname = ANY ($1)`,
      [[from, to]],
    );
    const find = (name: string): Found => {
      const found = rows.find((row) => row.name === name);
      if (found) return found;
      throw new HoldfastError("not_found", `There is no database ${name} on this server.`);
    };
    const [source, target] = [find(from), find(to)];
    const stamp = new Date().toISOString().replace(/[-:T]/g, "").slice(0, 14);
    return {
      from: { name: from, id: source.id },
      to: { name: to, id: target.id },
      oldName: nameWith(to, "before", stamp),
      closes: endSessions && target.open,
    };
  } finally {
    await client.end();
  }
}

/**
 * Puts the new database in the place of the other, as planned. Both renames happen in one transaction. Other
 * sessions in either make it a `conflict`; those in the one replaced are ended if `endSessions`.
 */
export async function swapDatabase(
  on: Access,
  swap: Swap,
  endSessions: boolean,
  work: WorkContext,
): Promise<void> {
  const { from, to, oldName, closes } = swap;
  const client = await connectBeside(on, [from.name, to.name], work);
  try {
    await assertAsPlanned(client, swap);
    for (const { name } of [from, to]) await endOwnSessions(client, name, work.applicationName);
    const before = await listSessions(client, to.name);
    if (before.count > 0 && !endSessions) throw inUse(to.name, before.text);
    // An application that connects again at once would be in the way of the rename.
    if (closes) await client.query(allow(to.name, false));
    try {
      if (endSessions) await endAll(client, to.name, work);
      await renameBoth(client, swap);
    } catch (error) {
      if (closes) await letIn(on, swap, work, error);
      throw error;
    }
    // The swap is done: what is only about the old one must not make it a failure.
    if (closes) {
      await client.query(allow(oldName, true)).catch((error) => {
        work.log(`${oldName} lets nobody connect: ${messageOf(error)}`, "warn");
      });
    }
  } catch (error) {
    if (codeOf(error) === OBJECT_IN_USE) {
      const { text } = await listSessions(client, to.name);
      throw inUse(to.name, text, error);
    }
    throw explained(error, `rename database ${to.name}`);
  } finally {
    await client.end();
  }
}

async function assertAsPlanned(client: Client, { from, to }: Swap): Promise<void> {
  const [source, target] = await findById(client, [from.id, to.id]);
  const gone = source?.name !== from.name ? from.name : target?.name !== to.name ? to.name : null;
  if (gone === null) return;
  throw new HoldfastError("conflict", `Database ${gone} is not the one any more that it was a moment ago.`, {
    remedy: "Look who renames databases on this server, then try again.",
  });
}

async function renameBoth(client: Client, { from, to, oldName }: Swap): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(renameTo(to.name, oldName));
    await client.query(renameTo(from.name, to.name));
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

async function endAll(client: Client, database: string, work: WorkContext): Promise<void> {
  const { count, text } = await listSessions(client, database);
  if (count === 0) return;
  work.log(`Ending ${count} sessions in ${database}: ${text}`, "warn");
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid()`,
    [database],
  );
}

/** Takes back that nobody may connect, over a new connection: the one before may be what failed. */
async function letIn(on: Access, { from, to }: Swap, work: WorkContext, cause: unknown): Promise<void> {
  const sql = allow(to.name, true);
  const until = performance.now() + REOPEN_MS;
  for (;;) {
    try {
      const signal = AbortSignal.timeout(REOPEN_MS);
      const client = await connectBeside(on, [from.name, to.name], { ...work, signal });
      await client.query(sql).finally(() => client.end().catch(() => undefined));
      return;
    } catch (error) {
      if (performance.now() > until) {
        const message = `Database ${to.name} lets nobody connect: ${messageOf(error)}.`;
        throw new HoldfastError("unavailable", message, { remedy: `Run on its server: ${sql}`, cause });
      }
      await delay(250);
    }
  }
}

/**
 * After a swap that may have broken off anywhere, once or many times: ends what is still at it, lets in again whom
 * it kept out, and says how far it came. The database to be replaced is opened only while both still have the names
 * that they had before, since then the work is not done; the replaced one, under the name that it was to get.
 */
export async function settleSwap(on: Access, swap: Swap, work: WorkContext): Promise<SettledSwap> {
  const { from, to, oldName, closes } = swap;
  const client = await connectBeside(on, [from.name, to.name, oldName], work);
  try {
    await endAllOwnSessions(client, work.applicationName);
    const [source, target] = await findById(client, [from.id, to.id]);
    const reopen = closes && target?.open === false;
    if (source?.name === to.name) {
      if (target?.name !== oldName) return { done: true, kept: null };
      if (reopen) await client.query(allow(oldName, true));
      return { done: true, kept: keptOf(swap) };
    }
    if (reopen && source?.name === from.name && target.name === to.name) {
      await client.query(allow(to.name, true));
      work.log(`${to.name} was closed for the swap, which did not come about: it is open again.`);
    }
    return { done: false };
  } finally {
    await client.end();
  }
}

function keptOf({ to, oldName }: Swap): { name: string; goBack: string; drop: string } {
  const aside = nameWith(to.name, "restored", oldName.slice(-14));
  return {
    name: oldName,
    goBack: `${renameTo(to.name, aside)}; ${renameTo(oldName, to.name)};`,
    drop: `DROP DATABASE ${quoteIdentifier(oldName)};`,
  };
}
