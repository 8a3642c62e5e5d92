import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { startTestPostgres } from "../../testing/postgres.ts";
import { describeEngineContract } from "../engine.contract.ts";
import { accessTo } from "./connect-beside.ts";
import { postgresEngine } from "./postgres-engine.ts";

/** Processes that have a text in their environment. */
async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return environment.includes(text) ? [`process ${pid}`] : [];
    }),
  );
  return found.flat();
}

describeEngineContract("PostgreSQL 15", async () => {
  const server = await startTestPostgres({ major: 15 });
  const newName = () => `t_${randomBytes(5).toString("hex")}`;
  return {
    engine: postgresEngine,
    newName,
    async createEmpty() {
      const name = newName();
      await server.createDatabase(name);
      return server.access(name);
    },
    nameOf: (access) => String(access.connection.database),
    accessTo,
    async run(access, ...statements) {
      const client = await server.client(String(access.connection.database));
      try {
        for (const statement of statements) await client.query(statement);
      } finally {
        await client.end();
      }
    },
    async runCommands(_on, commands) {
      const client = await server.client();
      await client.query(commands).finally(() => client.end());
    },
    async read(access, query) {
      const client = await server.client(String(access.connection.database));
      try {
        const { rows } = await client.query<Record<string, unknown>>(query);
        return String(Object.values(rows[0] ?? {})[0]);
      } finally {
        await client.end();
      }
    },
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
        says: /no PostgreSQL socket/,
      },
      {
        what: "an unknown user",
        access: (good) => ({ ...good, connection: { ...good.connection, user: "nobody" } }),
        code: "refused",
        says: /password of user nobody/,
      },
    ],
    goodUrl: server.url("postgres"),
    badUrl: "mysql://somewhere",
    badConnection: { host: "h", port: "x", database: "d", user: "u" },
    async leftovers(_access, applicationName) {
      const client = await server.client();
      try {
        const { rows } = await client.query<{ text: string }>(
          "SELECT 'session ' || pid AS text FROM pg_stat_activity WHERE application_name = $1",
          [applicationName],
        );
        return [...rows.map((row) => row.text), ...(await processesWith(`PGAPPNAME=${applicationName}`))];
      } finally {
        await client.end();
      }
    },
    stop: async () => await server.stop(),
  };
});
