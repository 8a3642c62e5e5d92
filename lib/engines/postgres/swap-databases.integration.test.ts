import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HoldfastError } from "../../errors.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { startTestPostgres } from "../../testing/postgres.ts";
import type { Access, Swap } from "../engine.ts";
import type { TestWork } from "../testing/round-trip.ts";
import { endWork, startWork } from "../testing/round-trip.ts";
import { connect } from "./connect.ts";
import { accessTo } from "./connect-beside.ts";
import { postgresEngine as engine } from "./postgres-engine.ts";

let server: TestPostgres;
let admin: Client;
let work: TestWork;

beforeAll(async () => {
  server = await startTestPostgres();
  admin = await server.client();
}, 60_000);
afterAll(async () => {
  await admin.end();
  await server.stop();
});
beforeEach(async () => {
  work = await startWork();
});
afterEach(() => endWork(work));

async function failure(run: Promise<unknown>): Promise<HoldfastError> {
  const error = await run.then(
    () => new Error("it did not fail"),
    (caught: unknown) => caught,
  );
  if (error instanceof HoldfastError) return error;
  throw error;
}

async function make(name: string, ...statements: string[]): Promise<Access> {
  await server.createDatabase(name);
  const client = await server.client(name);
  for (const statement of statements) await client.query(statement);
  await client.end();
  return server.access(name);
}

/** Whether databases whose names begin so are open, by name. */
async function openOnes(prefix: string): Promise<Record<string, boolean>> {
  const { rows } = await admin.query<{ name: string; open: boolean }>(
    "SELECT datname AS name, datallowconn AS open FROM pg_database WHERE starts_with(datname, $1)",
    [prefix],
  );
  return Object.fromEntries(rows.map(({ name, open }) => [name, open]));
}

async function swapNow(on: Access, from: string, to: string, endSessions: boolean): Promise<Swap> {
  const swap = await engine.planSwap(on, from, to, endSessions, work);
  await engine.swapDatabase(on, swap, endSessions, work);
  return swap;
}

describe("a swap", () => {
  it("names the sessions in the way, ends them only when asked, and lets them back in", async () => {
    const [old, fresh] = [await make("live"), await make("fresh", "CREATE TABLE is_new ()")];
    const app = await connect(old, { applicationName: "billing-api" });
    const ended = new Promise((resolve) => app.once("end", resolve));
    const error = await failure(swapNow(old, "fresh", "live", false));
    expect(error).toMatchObject({
      code: "conflict",
      message: "Database live is in use: 1 of billing-api (postgres).",
    });
    expect((await app.query("SELECT 1")).rowCount).toBe(1);
    const { oldName } = await swapNow(fresh, "fresh", "live", true);
    await ended;
    expect(oldName).toMatch(/^live_before_\d{14}$/);
    expect(await openOnes("live")).toEqual({ live: true, [oldName]: true });
    expect(await openOnes("fresh")).toEqual({});
    const client = await server.client("live");
    expect((await client.query("SELECT to_regclass('is_new') IS NOT NULL AS there")).rows).toEqual([
      { there: true },
    ]);
    await client.end();
    await engine.dropDatabase(server.access("live"), oldName, work);
  });

  it("changes nothing when the new database is in use by others", async () => {
    await make("target1", "CREATE TABLE original ()");
    const fresh = await make("fresh1");
    const app = await connect(fresh, { applicationName: "someone" });
    const error = await failure(swapNow(server.access(), "fresh1", "target1", true));
    expect(error.code).toBe("conflict");
    await app.end();
    const client = await server.client("target1");
    expect((await client.query("SELECT to_regclass('original') IS NOT NULL AS there")).rows[0]).toEqual({
      there: true,
    });
    await client.end();
  });

  it("shortens long names by whole characters", async () => {
    const name = `${"é".repeat(31)}x`;
    await make(name);
    await make("short");
    const { oldName } = await swapNow(accessTo(server.access(), name), "short", name, false);
    expect(Buffer.byteLength(oldName)).toBeLessThanOrEqual(63);
    expect(oldName).toMatch(/^é+_before_\d{14}$/);
  });

  it("is not made of other databases than those that were planned", async () => {
    await make("planned", "CREATE TABLE first ()");
    await make("ready");
    const swap = await engine.planSwap(server.access(), "ready", "planned", true, work);
    await admin.query("ALTER DATABASE planned RENAME TO planned_aside");
    await make("planned", "CREATE TABLE second ()");
    const error = await failure(engine.swapDatabase(server.access(), swap, true, work));
    expect(error).toMatchObject({ code: "conflict", message: /^Database planned is not the one any more/ });
    expect(await openOnes("planned")).toEqual({ planned: true, planned_aside: true });
  });
});

describe("a swap that broke off", () => {
  /** As the window between closing the target and the rename leaves it. */
  async function closed(name: string): Promise<Swap> {
    await make(name);
    await make(`${name}_work`);
    const swap = await engine.planSwap(server.access(name), `${name}_work`, name, true, work);
    expect(swap.closes).toBe(true);
    await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    return swap;
  }

  it("is opened again, by whoever asks and however often", async () => {
    const swap = await closed("broken");
    // Its own sessions can be looked for, too, though the database that they belong to lets nobody in.
    expect(await engine.endSessions(server.access("broken"), work.applicationName)).toBe(0);
    for (let n = 0; n < 2; n += 1) {
      expect(await engine.settleSwap(server.access("broken"), swap, work)).toEqual({ done: false });
      expect(await openOnes("broken")).toEqual({ broken: true, broken_work: true });
    }
  });

  it("stays closed where it was closed before, or is not as the swap left it", async () => {
    await make("archive");
    await make("archive_work");
    await admin.query("ALTER DATABASE archive ALLOW_CONNECTIONS false");
    const before = await engine.planSwap(server.access(), "archive_work", "archive", true, work);
    await engine.settleSwap(server.access(), before, work);
    expect(await openOnes("archive")).toEqual({ archive: false, archive_work: true });

    const settledBefore = await closed("settled");
    await admin.query("DROP DATABASE settled_work");
    await engine.settleSwap(server.access(), settledBefore, work);
    expect(await openOnes("settled")).toEqual({ settled: false });

    const another = await closed("another");
    await admin.query("ALTER DATABASE another RENAME TO another_kept");
    await admin.query("CREATE DATABASE another ALLOW_CONNECTIONS false");
    await engine.settleSwap(server.access(), another, work);
    expect(await openOnes("another")).toEqual({ another: false, another_kept: false, another_work: true });
  });

  it("after the renames lets people into the replaced one, under its new name", async () => {
    const swap = await closed("renamed");
    await admin.query(`ALTER DATABASE renamed RENAME TO ${swap.oldName}`);
    await admin.query("ALTER DATABASE renamed_work RENAME TO renamed");
    const settled = await engine.settleSwap(server.access("renamed"), swap, work);
    expect(settled).toMatchObject({ done: true, kept: { name: swap.oldName } });
    expect(await openOnes("renamed")).toEqual({ renamed: true, [swap.oldName]: true });
  });

  it("is not gone on with by what it left on the server", async () => {
    const swap = await closed("lingering");
    const lingering = await connect(server.access(), { applicationName: work.applicationName });
    const lost = new Promise((resolve) => lingering.once("end", resolve));
    await lingering.query("BEGIN");
    await lingering.query(`ALTER DATABASE lingering RENAME TO ${swap.oldName}`);
    await engine.settleSwap(server.access("lingering"), swap, work);
    await lost;
    expect(await openOnes("lingering")).toEqual({ lingering: true, lingering_work: true });
  });
});

it("a database that others use is not dropped", async () => {
  const access = await make("used");
  const app = await connect(access, { applicationName: "someone" });
  const error = await failure(engine.dropDatabase(server.access(), "used", work));
  expect(error).toMatchObject({ code: "conflict", message: expect.stringContaining("1 of someone") });
  await app.end();
  await engine.dropDatabase(server.access(), "used", work);
});
