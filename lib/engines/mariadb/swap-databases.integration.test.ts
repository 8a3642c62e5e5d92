import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../process/run-command.ts";
import type { TestMariadb } from "../../testing/mariadb.ts";
import { startTestMariadb } from "../../testing/mariadb.ts";
import type { Access, Swap } from "../engine.ts";
import type { TestWork } from "../testing/round-trip.ts";
import { endWork, startWork } from "../testing/round-trip.ts";
import { mariadbEngine } from "./engine.ts";
import { MARIADB, MYSQL } from "./flavour.ts";
import { renamesAtOnce } from "./swap-databases.ts";

let server: TestMariadb;
let work: TestWork;
let count = 0;

beforeAll(async () => {
  server = await startTestMariadb();
}, 60_000);
afterAll(() => server.stop());
beforeEach(async () => {
  work = await startWork();
});
afterEach(() => endWork(work));

/** A database with every kind of object, all of which say which one it is. */
async function make(name: string, mark: string): Promise<void> {
  await server.createDatabase(name);
  await server.run(
    name,
    `CREATE TABLE ${mark} (id INT PRIMARY KEY)`,
    "CREATE TABLE orders (id INT PRIMARY KEY, parent INT, note TEXT, FOREIGN KEY (parent) REFERENCES orders (id))",
    `INSERT INTO orders VALUES (1, NULL, '${mark}'), (2, 1, '${mark}')`,
    "CREATE TABLE log (note TEXT)",
    "CREATE SEQUENCE numbers",
    `CREATE FUNCTION mark() RETURNS TEXT DETERMINISTIC RETURN '${mark}; it''s'`,
    `CREATE FUNCTION only_${mark}() RETURNS TEXT DETERMINISTIC RETURN '\\\\'`,
    "CREATE TRIGGER after_order AFTER INSERT ON orders FOR EACH ROW BEGIN INSERT INTO log VALUES (mark()); END",
    "CREATE VIEW z_first AS SELECT id, mark() AS mark FROM orders",
    "CREATE VIEW a_second AS SELECT COUNT(*) AS n, MAX(mark) AS mark FROM z_first",
    `CREATE EVENT each_hour ON SCHEDULE EVERY 1 HOUR COMMENT '${mark}' DO INSERT INTO log VALUES ('${mark}')`,
  );
}

/** What is in a database, in a line. */
async function look(name: string): Promise<string> {
  const there = await server.read(
    undefined,
    `SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '${name}'`,
  );
  if (there === "0") return "not there";
  await server.run(name, "INSERT INTO orders VALUES (100, 1, 'x')");
  const parts = [
    await server.read(name, "SELECT CONCAT(n, ' ', mark) FROM a_second"),
    await server.read(name, "SELECT GROUP_CONCAT(note) FROM log"),
    await server.read(
      name,
      "SELECT GROUP_CONCAT(EVENT_COMMENT) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()",
    ),
    await server.read(
      name,
      "SELECT GROUP_CONCAT(ROUTINE_NAME ORDER BY 1) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()",
    ),
    await server.read(
      name,
      "SELECT GROUP_CONCAT(TABLE_NAME ORDER BY 1) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
    ),
    await server.read(
      name,
      "SELECT GROUP_CONCAT(CONCAT(UNIQUE_CONSTRAINT_SCHEMA = DATABASE(), REFERENCED_TABLE_NAME)) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()",
    ),
  ];
  await server.run(name, "DELETE FROM orders WHERE id = 100", "DELETE FROM log");
  return parts.join(" | ");
}

const WHOLE = (mark: string) =>
  `3 ${mark}; it's | ${mark}; it's | ${mark} | mark,only_${mark} | ${["a_second", "log", "numbers", "orders", "z_first", mark].sort().join(",")} | 1orders`;

async function pair(): Promise<{ on: Access; swap: Swap }> {
  count += 1;
  const [from, to] = [`fresh_${count}`, `shop_${count}`];
  await make(to, "was");
  await make(from, "new");
  const on = server.access(to);
  return { on, swap: await mariadbEngine.planSwap(on, from, to, true, work) };
}

async function asPerson(commands: string): Promise<void> {
  await runCommand({
    program: "mariadb",
    args: ["--no-defaults", `--socket=${server.socket}`, "--user=root"],
    env: { MYSQL_PWD: String(server.access("x").password) },
    stdin: Readable.from([commands]),
    tempDir: tmpdir(),
    okCodes: [0],
  });
}

describe("a swap of databases with code", () => {
  it("takes views, triggers, routines and events along, and the commands that go back do, too", async () => {
    const { on, swap } = await pair();
    await mariadbEngine.swapDatabase(on, swap, true, work);
    expect(await look(swap.to.name)).toBe(WHOLE("new"));
    expect(await look(swap.oldName)).toBe(WHOLE("was"));
    expect(await look(swap.from.name)).toBe("not there");
    const settled = await mariadbEngine.settleSwap(on, swap, work);
    if (!settled.done || !settled.kept) throw new Error("it was not done, or kept nothing");
    await asPerson(settled.kept.goBack);
    expect(settled.kept.goBack).not.toMatch(/^DROP DATABASE/m);
    expect(await look(swap.to.name)).toBe(WHOLE("was"));
    expect(await look(swap.from.name)).toBe(WHOLE("new"));
    expect(await mariadbEngine.settleSwap(on, swap, work)).toEqual({ done: false });
    expect(await look(swap.oldName)).toBe("not there");
  });

  it("broken off anywhere is taken back or brought to its end, with nothing lost", async () => {
    const outcomes = new Set<string>();
    for (let statements = 0; statements < 600 && !outcomes.has("not broken"); statements += 19) {
      const { on, swap } = await pair();
      const broken = await startWork();
      const { signal } = broken;
      // Breaks off after so many statements: the signal is asked before each one.
      let asked = 0;
      const counting = new Proxy(signal, {
        get(of, key) {
          if (key === "throwIfAborted") {
            return () => {
              asked += 1;
              if (asked > statements && !of.aborted) broken.abort();
              of.throwIfAborted();
            };
          }
          const value: unknown = Reflect.get(of, key, of);
          return typeof value === "function" ? value.bind(of) : value;
        },
      });
      const swapping = mariadbEngine.swapDatabase(on, swap, true, { ...broken, signal: counting });
      const ended = await swapping.then(
        () => "not broken",
        () => "broken",
      );
      const settled = await mariadbEngine.settleSwap(on, swap, work);
      expect(await mariadbEngine.settleSwap(on, swap, work)).toEqual(settled);
      outcomes.add(ended === "broken" ? `broken, ${settled.done ? "done" : "taken back"}` : ended);
      const [to, from, old] = [
        await look(swap.to.name),
        await look(swap.from.name),
        await look(swap.oldName),
      ];
      expect({ statements, to, from, old }).toEqual(
        settled.done
          ? { statements, to: WHOLE("new"), from: "not there", old: WHOLE("was") }
          : { statements, to: WHOLE("was"), from: WHOLE("new"), old: "not there" },
      );
      await endWork(broken);
    }
    expect([...outcomes].sort()).toEqual(["broken, done", "broken, taken back", "not broken"]);
  }, 60_000);

  it("never begun, and its fresh database dropped since, is not taken for done", async () => {
    const { on, swap } = await pair();
    await mariadbEngine.dropDatabase(on, swap.from.name, work);
    expect(await mariadbEngine.settleSwap(on, swap, work)).toEqual({ done: false });
    expect(await look(swap.to.name)).toBe(WHOLE("was"));
  });

  it("is refused to a user who can't see others' sessions, and may not end them", async () => {
    const { on, swap } = await pair();
    await server.run(
      undefined,
      "CREATE OR REPLACE USER plain@'127.0.0.1' IDENTIFIED BY 'plain-Password-1'",
      "GRANT ALL ON `%`.* TO plain@'127.0.0.1'",
    );
    const plain = { connection: { ...on.connection, user: "plain" }, password: "plain-Password-1" };
    const plan = () => mariadbEngine.planSwap(plain, swap.from.name, swap.to.name, true, work);
    await expect(plan()).rejects.toMatchObject({
      code: "refused",
      remedy: expect.stringMatching(/GRANT PROCESS ON \*\.\* TO `plain`@`127\.0\.0\.1`/),
    });
    await server.run(undefined, "GRANT PROCESS, SET USER ON *.* TO plain@'127.0.0.1'");
    const other = await server.client(swap.to.name);
    other.on("error", () => undefined);
    try {
      const swapping = mariadbEngine.swapDatabase(plain, await plan(), true, work);
      await expect(swapping).rejects.toMatchObject({
        message: expect.stringMatching(/may not end sessions of other/),
      });
      expect(await look(swap.to.name)).toBe(WHOLE("was"));
    } finally {
      other.destroy();
    }
  });

  it("waits for nobody: sessions of others refuse it, or are ended", async () => {
    const { on, swap } = await pair();
    const other = await server.client(swap.to.name);
    other.on("error", () => undefined);
    try {
      const refused = mariadbEngine.swapDatabase(on, swap, false, work);
      await expect(refused).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringMatching(/is in use: 1 of root@/),
      });
      expect(await look(swap.to.name)).toBe(WHOLE("was"));
      await mariadbEngine.swapDatabase(on, swap, true, work);
      expect(await look(swap.to.name)).toBe(WHOLE("new"));
    } finally {
      other.destroy();
    }
  });

  it("gives up on a table that stays in use, and puts the triggers back", async () => {
    const { on, swap } = await pair();
    const other = await server.client("mysql");
    try {
      await other.query("START TRANSACTION");
      await other.query(`SELECT * FROM ${swap.to.name}.log`);
      const swapping = mariadbEngine.swapDatabase(on, swap, false, work);
      await expect(swapping).rejects.toMatchObject({ code: "conflict" });
    } finally {
      await other.end();
    }
    expect(await mariadbEngine.settleSwap(on, swap, work)).toEqual({ done: false });
    expect(await look(swap.to.name)).toBe(WHOLE("was"));
  }, 30_000);

  it("is refused where foreign keys of other databases point into the one replaced", async () => {
    const { on, swap } = await pair();
    await server.createDatabase("pointing");
    await server.run(
      "pointing",
      `CREATE TABLE pointers (id INT, FOREIGN KEY (id) REFERENCES ${swap.to.name}.orders (id))`,
    );
    const plan = mariadbEngine.planSwap(on, swap.from.name, swap.to.name, true, work);
    await expect(plan).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/pointing\.pointers/),
    });
    await server.run(undefined, "DROP DATABASE pointing");
  });

  it("is refused, with nothing changed, to a user who may not set the definers of the code", async () => {
    const { on, swap } = await pair();
    await server.run(
      undefined,
      "CREATE OR REPLACE USER lesser@'127.0.0.1' IDENTIFIED BY 'lesser-Password-1'",
      "GRANT ALL ON `%`.* TO lesser@'127.0.0.1'",
      "GRANT PROCESS ON *.* TO lesser@'127.0.0.1'",
    );
    const lesser = { connection: { ...on.connection, user: "lesser" }, password: "lesser-Password-1" };
    await expect(mariadbEngine.swapDatabase(lesser, swap, false, work)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/its definer is .*root/),
    });
    expect(await look(swap.to.name)).toBe(WHOLE("was"));
  });

  it("needs a server whose RENAME TABLE survives a crash", () => {
    expect(
      ["10.5.9-MariaDB", "10.6.1-MariaDB", "11.4.2-MariaDB"].map((one) => renamesAtOnce(MARIADB, one)),
    ).toEqual([false, true, true]);
    expect(["5.7.44", "8.0.36"].map((one) => renamesAtOnce(MYSQL, one))).toEqual([false, true]);
  });
});
