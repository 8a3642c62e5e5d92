import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { runCommand } from "../../process/run-command.ts";
import { describeEngineContract } from "../engine.contract.ts";
import type { Access } from "../engine.ts";
import { sqliteEngine } from "./engine.ts";

describeEngineContract("SQLite", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "hf-sqlite-"));
  await writeFile(path.join(folder, "text.sqlite"), "this is plain text, and no database");
  await chmod(folder, 0o700);
  const at = (name: string): Access => ({ connection: { file: path.join(folder, name) } });
  const newName = () => `t_${randomBytes(5).toString("hex")}.sqlite`;
  const use = <T>(access: Access, action: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(String(access.connection.file), { timeout: 5_000 });
    try {
      return action(database);
    } finally {
      database.close();
    }
  };
  return {
    engine: sqliteEngine,
    newName,
    async createEmpty() {
      const access = at(newName());
      use(access, (database) => database.exec("PRAGMA journal_mode = WAL"));
      return access;
    },
    nameOf: (access) => String(access.connection.file),
    accessTo: (_on, name) => at(path.basename(name)),
    async run(access, ...statements) {
      use(access, (database) => {
        for (const statement of statements) database.exec(statement);
      });
    },
    async runCommands(_on, commands) {
      await runCommand({ program: "sh", args: ["-c", commands], tempDir: folder });
    },
    async read(access, query) {
      return use(access, (database) => String(Object.values(database.prepare(query).get() ?? {})[0]));
    },
    unreachable: [
      { what: "no such file", access: () => at("none.sqlite"), code: "unavailable", says: /does not exist/ },
      { what: "a text", access: () => at("text.sqlite"), code: "invalid", says: /not an SQLite database/ },
      { what: "a folder", access: () => at("."), code: "unavailable", says: /is not a file/ },
    ],
    goodUrl: `sqlite://${folder}/kiosk.sqlite`,
    badUrl: "mysql://somewhere",
    badConnection: { file: "relative.sqlite" },
    async leftovers(access) {
      const name = path.basename(String(access.connection.file));
      const files = await readdir(folder);
      return files.filter((file) => file.startsWith(`.${name}`) || file.endsWith(".part"));
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
});
