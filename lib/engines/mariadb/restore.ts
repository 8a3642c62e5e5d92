import { PassThrough, type Readable, Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { HoldfastError } from "../../errors.ts";
import { runCommand } from "../../process/run-command.ts";
import type { Access, OpenArtefact, RestoreOptions, RestoreResult, WorkContext } from "../engine.ts";
import { listSkipped } from "../list-skipped.ts";
import { writeClientOptions } from "./client-options.ts";
import type { Session } from "./connect.ts";
import { openSession } from "./connect.ts";
import { parseConnection } from "./connection.ts";
import { DumpFollower, HEAD } from "./dump-stream.ts";
import type { Flavour } from "./flavour.ts";
import type { PendingGrants } from "./globals.ts";
import { applyAccounts, applyGrants } from "./globals.ts";
import { notWhole, restoreError } from "./restore-errors.ts";
import { maySetDefiner } from "./rights.ts";
import { pinSettings } from "./snapshot.ts";
import { StatementRewriter } from "./statements.ts";
import { findTools } from "./tools.ts";

/** More than the head of any dump. */
const HEAD_BYTES = 512;

/**
 * Restores a dump into an existing, empty database with the stock client. Accounts come first, grants last.
 * DEFINER clauses stay where `owners` are restored by a user that may set them, and are left out of what goes to
 * the server otherwise; the artefact stays as it is. Throws `conflict` when the database is not empty, `unavailable`
 * when this machine or the target lacks what the dump needs, `invalid` when the dump is not whole, `refused` when
 * the server rejects what is in it.
 */
export async function restore(
  flavour: Flavour,
  target: Access,
  open: OpenArtefact,
  options: RestoreOptions,
  work: WorkContext,
): Promise<RestoreResult> {
  const begun = performance.now();
  const { database } = parseConnection(flavour, target.connection);
  const { signal, applicationName } = work;
  const session = await openSession(flavour, target, { signal, applicationName });
  try {
    // It idles while the client restores.
    await pinSettings(session);
    await assertEmpty(session, database);
    const tools = await findTools(flavour);
    const owners = options.owners && (await maySetDefiner(session));
    const skipped: RestoreResult["skipped"] = [];
    if (options.owners && !owners) {
      const lost = { object: "definers and grants", reason: "the restoring user may not set them" };
      if (options.whole) requireNone([lost], database);
      skipped.push(lost);
    }
    let grants: PendingGrants = { statements: [], skipped: [] };
    if (owners) grants = await applyAccounts(session, await text(await open("globals")));
    const client = await writeClientOptions(flavour, target, session.encrypted, work.tempDir);
    work.log(`${tools.client} ${tools.version}: restoring into ${database}`);
    const args = [
      client.argument,
      "--binary-mode",
      "--batch",
      "--local-infile=0",
      "--max-allowed-packet=1G",
      "--default-character-set=utf8mb4",
      ...flavour.clientArgs,
      `--database=${database}`,
    ];
    const follower = new DumpFollower();
    const { tempDir } = work;
    const stdin = rewritten(
      await open("dump"),
      follower,
      { database, definers: owners ? "keep" : "drop" },
      work,
    );
    try {
      await runCommand({ program: tools.client, args, secrets: client.secrets, tempDir, signal, stdin });
    } catch (error) {
      // Half a statement at its end is an error of the server's, too.
      const cut = follower.ended ? follower.fault() : null;
      throw cut === null ? error : notWhole(cut);
    }
    const fault = follower.fault();
    if (fault !== null) throw notWhole(fault);
    skipped.push(...(await applyGrants(session, grants, database)));
    for (const { object, reason } of skipped) work.log(`Not restored: ${object}: ${reason}`, "warn");
    const name = tools.client.split("/").at(-1) ?? "client";
    return { skipped, tools: { [name]: tools.version }, seconds: (performance.now() - begun) / 1000 };
  } catch (error) {
    signal.throwIfAborted();
    throw restoreError(error);
  } finally {
    await session.close();
  }
}

/** The dump as it goes to the client: looked at before its first byte gets there, and followed to its end. */
function rewritten(
  dump: Readable,
  follower: DumpFollower,
  rewriting: ConstructorParameters<typeof StatementRewriter>[0],
  work: WorkContext,
): Readable {
  let head: Buffer | null = Buffer.alloc(0);
  const look = (last: boolean): Buffer | null => {
    if (head === null || (!last && head.length < HEAD_BYTES)) return null;
    const bytes = head;
    head = null;
    if (!HEAD.test(bytes.toString("latin1"))) {
      throw notWhole(
        bytes.length === 0 ? "it is empty" : "it does not begin like a dump of MariaDB or MySQL",
      );
    }
    return bytes;
  };
  const guard = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      try {
        follower.add(chunk);
        if (head === null) return callback(null, chunk);
        head = Buffer.concat([head, chunk]);
        callback(null, look(false) ?? undefined);
      } catch (error) {
        callback(error as Error);
      }
    },
    flush(callback) {
      follower.ended = true;
      try {
        callback(null, look(true) ?? undefined);
      } catch (error) {
        callback(error as Error);
      }
    },
  });
  let done = 0;
  const counted = () => {
    done += 1;
    work.progress({ label: "Restore", done, total: null, unit: "objects" });
  };
  const out = new PassThrough();
  pipeline(dump, guard, new StatementRewriter(rewriting, counted), out).catch(() => undefined);
  return out;
}

async function assertEmpty(session: Session, database: string): Promise<void> {
  const [found] = await session.rows<{ n: number }>(`
    SELECT (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE())
      + (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE())
      + (SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()) AS n`);
  const n = Number(found?.n ?? 0);
  if (n === 0) return;
  throw new HoldfastError(
    "conflict",
    `Database ${database} is not empty: it has ${n} tables, views, routines and events.`,
    { remedy: "Restore into a new database." },
  );
}

function requireNone(lost: RestoreResult["skipped"], database: string): void {
  throw new HoldfastError(
    "refused",
    `The user of ${database} can't restore all that the backup holds: without ${listSkipped(lost)} it would not be the same database.`,
    {
      remedy:
        "Give it SET USER (MariaDB) or SET_ANY_DEFINER (MySQL), then try again; or restore into a new database, which may go without.",
    },
  );
}
