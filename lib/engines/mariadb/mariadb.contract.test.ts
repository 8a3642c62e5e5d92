import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { runCommand } from "../../process/run-command.ts";
import { startTestMariadb } from "../../testing/mariadb.ts";
import { describeEngineContract } from "../engine.contract.ts";
import { withSession } from "./connect.ts";
import { accessTo } from "./connection.ts";
import { mariadbEngine } from "./engine.ts";
import { MARIADB } from "./flavour.ts";
import { ownSessions } from "./sessions.ts";

/** Processes that have a text in their arguments. */
async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return command.includes("mariadb-dump") && command.includes(text) ? [`process ${pid}`] : [];
    }),
  );
  return found.flat();
}

describeEngineContract("MariaDB", async () => {
  const server = await startTestMariadb();
  const newName = () => `t_${randomBytes(5).toString("hex")}`;
  const nameOf = (access: { connection: Record<string, unknown> }) => String(access.connection.database);
  return {
    engine: mariadbEngine,
    newName,
    async createEmpty() {
      const name = newName();
      await server.createDatabase(name);
      return server.access(name);
    },
    nameOf,
    accessTo,
    async run(access, ...statements) {
      // An index belongs to its table here, and is dropped from it.
      const own = statements.map((sql) => sql.replace(/^(DROP INDEX (\w+)_name)$/, "$1 ON $2"));
      await server.run(nameOf(access), ...own);
    },
    async runCommands(_on, commands) {
      await runCommand({
        program: "mariadb",
        args: ["--no-defaults", `--socket=${server.socket}`, "--user=root"],
        env: { MYSQL_PWD: String(server.access("x").password) },
        stdin: Readable.from([commands]),
        tempDir: tmpdir(),
      });
    },
    read: (access, query) => server.read(nameOf(access), query),
    unreachable: [
      {
        what: "a wrong password",
        access: (good) => ({ ...good, password: "wrong" }),
        code: "refused",
        says: /does not accept the password/,
      },
      {
        what: "no such database",
        access: (good) => accessTo(good, "nowhere"),
        code: "refused",
        says: /no database nowhere/,
      },
      {
        what: "a closed port",
        access: (good) => ({ ...good, connection: { ...good.connection, port: 1 } }),
        code: "unavailable",
        says: /Nothing accepts connections at 127\.0\.0\.1:1/,
      },
      {
        what: "no TLS",
        access: (good) => ({ ...good, connection: { ...good.connection, tls: "require" } }),
        code: "refused",
        says: /does not offer TLS/,
      },
      {
        what: "an unknown name",
        access: (good) => ({ ...good, connection: { ...good.connection, host: "nowhere.invalid" } }),
        code: "unavailable",
        says: /nowhere\.invalid/,
      },
      {
        what: "no socket",
        access: (good) => ({ ...good, connection: { ...good.connection, host: "/nowhere" } }),
        code: "unavailable",
        says: /no MariaDB socket/,
      },
      {
        what: "an unknown user",
        access: (good) => ({ ...good, connection: { ...good.connection, user: "nobody" } }),
        code: "refused",
        says: /password of user nobody/,
      },
    ],
    goodUrl: server.url("shop"),
    badUrl: "postgresql://somewhere",
    badConnection: { host: "h", port: "x", database: "d", user: "u" },
    async leftovers(access, applicationName) {
      const ids = await withSession(MARIADB, access, {}, (session) => ownSessions(session, applicationName));
      const dumping = await server.read(
        undefined,
        `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%SQL_NO_CACHE%' AND ID <> CONNECTION_ID()`,
      );
      return [
        ...ids.map((id) => `session ${id}`),
        ...(dumping === "0" ? [] : [`${dumping} dumping`]),
        ...(await processesWith(nameOf(access))),
      ];
    },
    stop: () => server.stop(),
  };
});
