import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { manifestSchema } from "../backups/manifest.ts";
import { startTestPostgres, type TestPostgres } from "../testing/postgres.ts";
import { runDump } from "./dump.ts";
import type { DestinationSpec } from "./schema.ts";
import { type RecordingIo, recordingIo } from "./testing/recording-io.ts";
import { filesBelow, setUpTransfers, type TransferSetUp } from "./testing/transfer-setup.ts";

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const FILES = ["RESTORE.md", "dump.pgdump.zst.age", "globals.sql.zst.age", "manifest.json"];

let server: TestPostgres;
let setUp: TransferSetUp;
let destination: DestinationSpec & { folder: string };
let number = 0;

beforeAll(async () => {
  server = await startTestPostgres();
  setUp = await setUpTransfers("postgres");
  await server.createDatabase("shop");
  const client = await server.client("shop");
  await client.query("CREATE ROLE shop_owner");
  await client.query("CREATE TABLE customers (id int PRIMARY KEY, name text)");
  await client.query("INSERT INTO customers SELECT g, 'name ' || g FROM generate_series(1, 5000) g");
  await client.query("CREATE TABLE bulk (id int PRIMARY KEY, filler text)");
  await client.query(
    "INSERT INTO bulk SELECT g, md5(g::text) || md5((g + 1)::text) || md5((g + 2)::text) FROM generate_series(1, 200000) g",
  );
  await client.query("ALTER TABLE customers OWNER TO shop_owner");
  await client.end();
});
afterAll(async () => {
  await server.stop();
  await setUp.cleanUp();
});
beforeEach(async () => {
  destination = await setUp.addDestination(`place-${++number}`);
});

/** Process ids of the pg_dump programs that this test's transfers run. */
function dumpPids(): number[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      const environment = readFileSync(`/proc/${entry}/environ`, "utf8");
      return /pg_dump\0/.test(command) && environment.includes(setUp.folder) ? [Number(entry)] : [];
    } catch {
      return [];
    }
  });
}

/** Does something once the dump has really begun to flow. */
function onceFlowing(what: (io: RecordingIo) => void): RecordingIo {
  let done = false;
  return recordingIo((progress, io) => {
    if (done || progress.label !== "dump.pgdump" || progress.done < 1) return;
    done = true;
    what(io);
  });
}

describe("a dump", () => {
  it("publishes artefacts, RESTORE.md and the manifest, whose sums are those of the files", async () => {
    const spec = await setUp.dumpSpec(server.access("shop"), [destination]);
    const io = recordingIo();
    const result = await runDump(spec, io);
    expect(io.steps).toEqual(["Open snapshot", "Dump", "Fingerprint", "Publish"]);
    expect(io.reports.find((progress) => progress.label === "dump.pgdump")).toMatchObject({ unit: "bytes" });
    const folder = join(destination.folder, spec.path);
    expect(await filesBelow(destination.folder)).toEqual(FILES.map((file) => join(spec.path, file)).sort());
    expect(await readFile(join(folder, "manifest.json"), "utf8")).toBe(result.manifestText);
    const manifest = manifestSchema.parse(JSON.parse(result.manifestText));
    for (const { file, sha256, bytes } of [
      ...manifest.artefacts,
      ...(manifest.restoreFile ? [manifest.restoreFile] : []),
    ]) {
      const { stdout } = await run("sha256sum", [join(folder, file)]);
      expect(stdout.split(" ")[0]).toBe(sha256);
      expect((await readFile(join(folder, file))).length).toBe(bytes);
    }
    expect(manifest.auditHead).toEqual({ seq: "7", hash: "abc" });
    expect(manifest.fingerprint.tables).toContainEqual(
      expect.objectContaining({ name: "public.customers", rows: 5000, compared: "content" }),
    );
    expect(result.copies).toMatchObject([{ state: "stored", reason: null }]);
    expect(result.dumpSeconds).toBeGreaterThan(0);
  });

  it("is restored by the literal commands of its RESTORE.md, with stock tools alone", async () => {
    const stored = await setUp.dump(server.access("shop"), destination);
    const document = await readFile(join(stored.folder, "RESTORE.md"), "utf8");
    const blocks = [...document.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
    const commands = (about: RegExp) => blocks.find((block) => about.test(block)) ?? "";
    await writeFile(join(stored.folder, "identity.txt"), `${setUp.identity}\n`, { mode: 0o600 });
    const env = {
      NODE_ENV: "test" as const,
      PATH: process.env.PATH ?? "",
      PGHOST: "127.0.0.1",
      PGPORT: String(server.port),
      PGUSER: "postgres",
      PGPASSWORD: server.access().password ?? "",
    };
    const shell = (script: string) =>
      run("bash", ["-e", "-o", "pipefail", "-c", script], { cwd: stored.folder, env });
    const { stdout } = await shell(commands(/sha256sum -c/));
    expect(stdout.match(/: OK/g)).toHaveLength(2);
    await shell(commands(/pg_restore/));
    const restored = await server.client("restored");
    const { rows } = await restored.query(
      "SELECT count(*)::int AS n, (SELECT tableowner FROM pg_tables WHERE tablename = 'customers') AS owner FROM bulk",
    );
    await restored.end();
    expect(rows).toEqual([{ n: 200_000, owner: "shop_owner" }]);
  });

  it("is not encrypted where that is switched off", async () => {
    const stored = await setUp.dump(server.access("shop"), destination, { recipients: [] });
    const { stdout } = await run("bash", [
      "-c",
      `zstd -dc '${join(stored.folder, "dump.pgdump.zst")}' | pg_restore -l`,
    ]);
    expect(stdout).toContain("TABLE DATA public customers");
  });

  it("goes to all destinations, and without one that is gone", async () => {
    const second = await setUp.addDestination(`second-${number}`);
    const lost = await setUp.addDestination(`lost-${number}`);
    await rm(lost.folder, { recursive: true });
    const spec = await setUp.dumpSpec(server.access("shop"), [destination, lost, second]);
    const result = await runDump(spec, recordingIo());
    expect(result.copies.map((copy) => copy.state)).toEqual(["stored", "failed", "stored"]);
    expect(result.copies[1]?.reason).toContain("not there");
    for (const place of [destination, second]) {
      expect(await readFile(join(place.folder, spec.path, "manifest.json"), "utf8")).toBe(
        result.manifestText,
      );
    }
    expect(await filesBelow(lost.folder)).toEqual([]);
  });

  if (isRoot)
    it("fails with the disk as reason when the only destination runs full, and leaves nothing", async () => {
      const small = join(setUp.folder, "small");
      await mkdir(small);
      await run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", small]);
      try {
        const full = await setUp.addDestination("full", small);
        const spec = await setUp.dumpSpec(server.access("shop"), [full]);
        await expect(runDump(spec, recordingIo())).rejects.toMatchObject({
          code: "unavailable",
          message: expect.stringContaining("is full"),
        });
        expect(await filesBelow(small)).toEqual([]);
      } finally {
        await run("umount", ["-l", small]);
      }
    });
});

describe("a fault in the middle of a dump leaves no object, no program and no session", () => {
  async function expectNothingLeft(): Promise<void> {
    expect(await filesBelow(destination.folder)).toEqual([]);
    await expect.poll(dumpPids, { timeout: 10_000 }).toEqual([]);
    const client = await server.client();
    const sessions = async () => {
      const { rows } = await client.query(
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'holdfast:%'",
      );
      return rows;
    };
    await expect.poll(sessions, { timeout: 10_000 }).toEqual([]);
    await client.end();
  }

  it("pg_dump is killed", async () => {
    const io = onceFlowing(() => {
      for (const pid of dumpPids()) process.kill(pid, "SIGKILL");
    });
    const spec = await setUp.dumpSpec(server.access("shop"), [destination]);
    await expect(runDump(spec, io)).rejects.toThrow(/pg_dump/);
    await expectNothingLeft();
  });

  it("it is cancelled", async () => {
    const io = onceFlowing((recording) => recording.abort(new Error("cancelled by Ann")));
    const spec = await setUp.dumpSpec(server.access("shop"), [destination]);
    await expect(runDump(spec, io)).rejects.toThrow("cancelled by Ann");
    await expectNothingLeft();
  });

  it("its server stops", async () => {
    const other = await startTestPostgres();
    try {
      const client = await other.client();
      await client.query(
        "CREATE TABLE bulk AS SELECT g, md5(g::text) || md5((g+1)::text) AS t FROM generate_series(1, 600000) g",
      );
      await client.end();
      const io = onceFlowing(() => void other.server.stop());
      const spec = await setUp.dumpSpec(other.access(), [destination]);
      await expect(runDump(spec, io)).rejects.toThrow();
      await expectNothingLeft();
    } finally {
      await other.stop();
    }
  });
});
