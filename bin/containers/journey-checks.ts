import type { BackupDto } from "../../lib/backups/schema.ts";
import { assert } from "./project.ts";
import type { Check, Stage } from "./stage.ts";
import { backupOf, holdfast, provenBackup, signedIn, workersUp } from "./stage.ts";

const TABLE = `
CREATE TABLE item (id int PRIMARY KEY, text text NOT NULL, added timestamptz NOT NULL);
INSERT INTO item SELECT n, md5(n::text), timestamptz '2026-01-01' + n * interval '1 min' FROM generate_series(1, 20000) n;
CREATE INDEX ON item (text);
CREATE VIEW recent AS SELECT * FROM item ORDER BY added DESC LIMIT 10;`;
const DIGEST = "SELECT count(*), sum(hashtextextended(item::text, 0)::numeric) FROM item";

/** The backup's proof, which must be whole and say of its sandbox's isolation what its worker says. */
export function wholeProof({ proof }: BackupDto, isolation: string): NonNullable<BackupDto["proof"]> {
  assert(proof?.verdict === "proven", `the proof's verdict is ${proof?.verdict}: ${proof?.reason}`);
  assert(proof.level === "restored", `the proof's level is ${proof.level}`);
  const equal = (proof.tables ?? []).filter((table) => table.equal && table.compared === "content");
  assert(
    proof.tables?.length === 1 && equal[0]?.rows === 20_000,
    `the proof's tables are ${JSON.stringify(proof.tables)}`,
  );
  assert(proof.isolation === isolation, `isolation is ${proof.isolation} where the worker has ${isolation}`);
  return proof;
}

async function restoreInto(stage: Stage, name: string): Promise<void> {
  const target = ["--to-new-database", name, "--on", "shop"];
  await holdfast(stage, ["backup", "restore", provenBackup(stage), ...target, "--wait", "--timeout", "10m"]);
  const [from, to] = [await stage.project.sql("shop", DIGEST), await stage.project.sql(name, DIGEST)];
  assert(from === to, `the restored table differs: ${from} and ${to}`);
}

export const journeyChecks: Check[] = [
  {
    name: "a database is registered and passes its preflight",
    essential: true,
    async run(stage) {
      await stage.project.sql("shop", TABLE);
      const password = stage.secrets.get("password of the source");
      // By a variable of the command's own, as docs/cli.md advises: what is typed is seen by every process list.
      const URL = `postgresql://shop:${password}@source:5432/shop`;
      const about = ["--name", "shop", "--engine", "postgres", "--environment", "production"];
      await holdfast(stage, ["database", "add", ...about, "--url-env", "URL", "--json"], { URL });
      await holdfast(stage, ["database", "test", "shop"]);
      await holdfast(stage, ["database", "preflight", "shop"]);
      return undefined;
    },
  },
  {
    name: "a backup is made and proven, and says what isolated its sandbox",
    essential: true,
    async run(stage) {
      const text = await holdfast(stage, ["backup", "run", "shop", "--wait", "--timeout", "10m", "--json"]);
      const { id } = JSON.parse(text) as { id: string };
      const backup = await backupOf(stage, id);
      const [worker] = await workersUp(stage);
      const proof = wholeProof(backup, worker?.abilities.isolation ?? "");
      stage.backupId = id;
      return `${proof.isolation}: ${proof.sandbox?.detail}`;
    },
  },
  {
    name: "it is restored into a new database, equal to its source",
    async run(stage) {
      await restoreInto(stage, "shop_copy");
      return undefined;
    },
  },
  {
    name: "its pages answer",
    async run(stage) {
      for (const path of ["/databases/shop", `/backups/${provenBackup(stage)}`]) {
        const { status, text } = await signedIn(stage).page(path);
        assert(status === 200 && text.includes("</html>"), `${path} was answered ${status}`);
      }
      return undefined;
    },
  },
  {
    name: "a SQLite file in a volume is backed up and proven",
    async run(stage) {
      const make = `const { DatabaseSync } = require("node:sqlite");
        const db = new DatabaseSync("/data/kiosk.db");
        db.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT)");
        db.exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) INSERT INTO item SELECT i, hex(i) FROM n");`;
      await stage.project.compose(["exec", "-T", "worker", "node", "-e", make]);
      await signedIn(stage).api("/databases", {
        ...{
          name: "kiosk",
          engine: "sqlite",
          environment: "production",
          connection: { file: "/data/kiosk.db" },
        },
      });
      const text = await holdfast(stage, ["backup", "run", "kiosk", "--wait", "--timeout", "10m", "--json"]);
      const backup = await backupOf(stage, (JSON.parse(text) as { id: string }).id);
      const [worker] = await workersUp(stage);
      // Without namespaces a SQLite file is read by a plain process, under the worker's own uid.
      const isolation = worker?.abilities.isolation === "namespaces" ? "namespaces" : "none";
      return wholeProof(backup, isolation).sandbox?.detail;
    },
  },
  {
    name: "the keys and stock tools alone open the backup",
    async run(stage) {
      const { project } = stage;
      const backup = await backupOf(stage, provenBackup(stage));
      const file = `/data/backups/${backup.copies[0]?.path}/${backup.artefacts.find(({ name }) => name === "dump")?.file}`;
      const bin = "$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)";
      const script = `age -d -i /keys/identity.txt '${file}' | zstd -dc | ${bin}/pg_restore --list`;
      const listed = await project.compose(["exec", "-T", "worker", "sh", "-c", script]);
      assert(listed.includes("TABLE DATA public item"), `pg_restore listed: ${listed.slice(0, 500)}`);
      return undefined;
    },
  },
];
