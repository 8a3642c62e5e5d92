import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { TestPostgres } from "../../testing/postgres.ts";
import { startTestPostgres } from "../../testing/postgres.ts";
import type { TestWork } from "../testing/round-trip.ts";
import { endWork, startWork } from "../testing/round-trip.ts";
import { checkRestored } from "./check-restored.ts";

let server: TestPostgres;
let client: Client;
let work: TestWork;

beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server.stop());
beforeEach(async () => {
  work = await startWork();
  await server.createDatabase("copy");
  client = await server.client("copy");
  await client.query(
    "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)",
  );
});
afterEach(async () => {
  await client.end();
  await endWork(work);
  const admin = await server.client();
  await admin.query("DROP DATABASE copy");
  await admin.end();
});

const structure = async () =>
  (await checkRestored(server.access("copy"), work)).find(({ name }) => name === "index structure");

/** A B-tree whose order is that of a function of the database's own. */
const ORDERED = `
  CREATE FUNCTION ordered(a int, b int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN btint4cmp(a, b); END';
  CREATE OPERATOR CLASS ordered_ops FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
    OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 ordered(int, int);
  CREATE INDEX by_order ON t (id ordered_ops);`;

it("asks no event trigger, and leaves all as it was", async () => {
  await client.query(`
    CREATE FUNCTION guard() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no DDL here'; END $$;
    CREATE EVENT TRIGGER always ON ddl_command_start EXECUTE FUNCTION guard();
    ALTER EVENT TRIGGER always ENABLE ALWAYS;
    CREATE EVENT TRIGGER ordinary ON ddl_command_end EXECUTE FUNCTION guard();
    ALTER DATABASE copy SET default_transaction_read_only = on`);
  expect(await structure()).toMatchObject({ state: "passed" });
  const { rows } = await client.query(`
    SELECT evtname AS name, evtenabled AS enabled, to_regnamespace('holdfast_amcheck') AS left FROM pg_event_trigger ORDER BY 1`);
  expect(rows).toEqual([
    { name: "always", enabled: "A", left: null },
    { name: "ordinary", enabled: "O", left: null },
  ]);
});

it("calls an index that is out of order broken", async () => {
  await client.query(`${ORDERED}
    CREATE OR REPLACE FUNCTION ordered(a int, b int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN btint4cmp(b, a); END'`);
  expect(await structure()).toMatchObject({
    state: "failed",
    detail: expect.stringMatching(/^public\.by_order: item order invariant violated/),
  });
});

it("calls an index unverifiable whose own code stops the check", async () => {
  await client.query(`${ORDERED}
    CREATE OR REPLACE FUNCTION ordered(a int, b int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$`);
  expect(await structure()).toEqual({
    name: "index structure",
    state: "unverifiable",
    detail: "public.by_order: not today",
  });
});

it("says that it was stopped where no check can be made", async () => {
  await client.query("CREATE SCHEMA holdfast_amcheck");
  await expect(checkRestored(server.access("copy"), work)).rejects.toMatchObject({
    code: "unavailable",
    message: 'The server stopped the checks: schema "holdfast_amcheck" already exists.',
  });
});
