import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Access } from "../engines/engine.ts";
import { runRestore } from "./restore.ts";
import type { DestinationSpec } from "./schema.ts";
import { recordingIo } from "./testing/recording-io.ts";
import { type StoredBackup, setUpTransfers, type TransferSetUp } from "./testing/transfer-setup.ts";
import { runVerify } from "./verify.ts";

const run = promisify(execFile);

let setUp: TransferSetUp;
let destination: DestinationSpec & { folder: string };
let access: Access;
let stored: StoredBackup;

function rowsOf(file: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare("SELECT count(*) AS n, max(note) AS note FROM tickets").get();
  database.close();
  return { ...row };
}

beforeAll(async () => {
  setUp = await setUpTransfers("sqlite");
  const file = join(setUp.folder, "kiosk.sqlite");
  access = { connection: { file } };
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE tickets (id INTEGER PRIMARY KEY, note TEXT)");
  database.exec(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO tickets SELECT i, 'note ' || i FROM n",
  );
  database.close();
  destination = await setUp.addDestination("place");
  stored = await setUp.dump(access, destination);
});
afterAll(() => setUp.cleanUp());

describe("SQLite through the whole path", () => {
  it("is proven by a restore", async () => {
    const result = await runVerify(await setUp.verifySpec(stored), recordingIo());
    expect(result.reason).toContain("Restored and compared");
    expect(result).toMatchObject({ level: "restored", verdict: "proven", copyState: "stored" });
    expect(result.report.tables).toMatchObject([{ rows: 20_000, compared: "content", equal: true }]);
  });

  it("is opened by stock tools as RESTORE.md says", async () => {
    const document = await readFile(join(stored.folder, "RESTORE.md"), "utf8");
    const block = [...document.matchAll(/```sh\n([\s\S]*?)```/g)]
      .map((match) => match[1] ?? "")
      .find((text) => text.includes("zstd -d"));
    await writeFile(join(stored.folder, "identity.txt"), `${setUp.identity}\n`, { mode: 0o600 });
    // The sqlite3 program is not on every machine; its last command only looks at the result.
    const commands = (block ?? "").split("\n").filter((line) => !line.startsWith("sqlite3"));
    await run("bash", ["-e", "-o", "pipefail", "-c", commands.join("\n")], { cwd: stored.folder });
    expect(rowsOf(join(stored.folder, "restored-kiosk.sqlite"))).toEqual({ n: 20_000, note: "note 9999" });
  });

  it("is restored beside, and over", async () => {
    const beside = await setUp.restoreSpec(stored, {
      on: access,
      target: { kind: "new", name: "kiosk-copy" },
    });
    const made = await runRestore(beside, recordingIo());
    expect(made.equal).toBe(true);
    expect(rowsOf(String(made.access.connection.file))).toEqual({ n: 20_000, note: "note 9999" });

    const live = new DatabaseSync(String(access.connection.file));
    live.exec("DELETE FROM tickets");
    live.close();
    const over = await setUp.restoreSpec(stored, {
      on: access,
      target: { kind: "over", name: "kiosk.sqlite", endSessions: false },
    });
    expect((await runRestore(over, recordingIo())).equal).toBe(true);
    expect(rowsOf(String(access.connection.file))).toEqual({ n: 20_000, note: "note 9999" });
  });
});
