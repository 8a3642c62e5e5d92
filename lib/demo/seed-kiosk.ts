import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ROOT } from "../root.ts";

const SCRIPT = path.join(ROOT, "prisma/seed/kiosk.sql");

/** Makes the sample SQLite database anew at `file`, whole or not at all. */
export function seedKiosk(file: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const part = `${file}.part`;
  rmSync(part, { force: true });
  const database = new DatabaseSync(part);
  database.exec("BEGIN");
  database.exec(readFileSync(SCRIPT, "utf8"));
  database.exec("COMMIT");
  database.close();
  for (const ending of ["-wal", "-shm", "-journal"]) rmSync(`${file}${ending}`, { force: true });
  renameSync(part, file);
}
