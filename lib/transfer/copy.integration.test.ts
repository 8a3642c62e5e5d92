import { createHash } from "node:crypto";
import { copyFile, mkdir, open, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../ids.ts";
import { runCopy } from "./copy.ts";
import { runRemove } from "./remove.ts";
import type { CopySpec, DestinationSpec } from "./schema.ts";
import { recordingIo } from "./testing/recording-io.ts";
import type { StoredBackup, TransferSetUp } from "./testing/transfer-setup.ts";
import { filesBelow, setUpTransfers } from "./testing/transfer-setup.ts";
import { runVerify } from "./verify.ts";

type Place = DestinationSpec & { folder: string };
const DUMP = "dump.sqlite.zst.age";
const MEGABYTE = 1_000_000;

let setUp: TransferSetUp;
let place: Place;
let stored: StoredBackup;
/** The files of the stored backup as they were published. */
let whole: Map<string, Buffer>;
let offsite: Place;
let path: string;

beforeAll(async () => {
  setUp = await setUpTransfers("sqlite");
  const file = join(setUp.folder, "kiosk.sqlite");
  const database = new DatabaseSync(file);
  database.exec("CREATE TABLE scans (id INTEGER PRIMARY KEY, image BLOB)");
  database.exec(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 24) INSERT INTO scans SELECT i, randomblob(1000000) FROM n",
  );
  database.close();
  place = await setUp.addDestination("place");
  stored = await setUp.dump({ connection: { file } }, place);
  whole = new Map();
  for (const name of await filesBelow(stored.folder)) {
    whole.set(name, await readFile(join(stored.folder, name)));
  }
});
afterAll(() => setUp.cleanUp());
beforeEach(async () => {
  for (const [name, bytes] of whole) await writeFile(join(stored.folder, name), bytes);
  offsite = await setUp.addDestination(`offsite-${newId()}`);
  path = `${setUp.installId}/shop/20270102T000000Z-${newId()}`;
});

async function specOf(destinations: DestinationSpec[] = [offsite]): Promise<CopySpec> {
  const { operationId, attempt, engine, tempDir, hidden } = await setUp.verifySpec(stored);
  return {
    task: "copy",
    operationId,
    attempt,
    engine,
    tempDir,
    hidden,
    installId: setUp.installId,
    source: place,
    sourcePath: stored.spec.path,
    manifestText: stored.result.manifestText,
    destinations,
    path,
  };
}

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

async function flip(file: string, at: number): Promise<void> {
  const handle = await open(file, "r+");
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, at);
  await handle.close();
}

describe("copying a stored backup", () => {
  it("makes the same files, byte for byte, without a key, and what was copied is proven by a restore", async () => {
    const io = recordingIo();
    const result = await runCopy(await specOf(), io);
    const bytes = [...whole.values()].reduce((sum, one) => sum + one.length, 0);
    expect(result).toEqual({
      fault: null,
      copies: [{ destinationId: offsite.id, state: "stored", bytes, reason: null }],
    });
    const made = await filesBelow(join(offsite.folder, path));
    expect(made).toEqual([...whole.keys()].sort());
    for (const [name, content] of whole) {
      expect(sha256(await readFile(join(offsite.folder, path, name)))).toBe(sha256(content));
    }
    expect(io.reports[0]).toMatchObject({
      label: "Copy from place",
      unit: "bytes",
      total: whole.get(DUMP)?.length,
    });
    const verdict = await runVerify(
      await setUp.verifySpec({ ...stored, destination: offsite }, { path }),
      recordingIo(),
    );
    expect(verdict).toMatchObject({ verdict: "proven", level: "restored", copyState: "stored" });
  });

  it.each([
    ["a flipped bit in the middle", () => flip(join(stored.folder, DUMP), 11 * MEGABYTE), "altered"],
    ["a last byte that is gone", () => truncate(join(stored.folder, DUMP), 100), "altered"],
    ["a file that is gone", () => rm(join(stored.folder, DUMP)), "missing"],
    ["another RESTORE.md", () => writeFile(join(stored.folder, "RESTORE.md"), "rm -rf /"), "altered"],
    ["another manifest", () => writeFile(join(stored.folder, "manifest.json"), "{}"), "altered"],
    ["no disk", () => rename(place.folder, `${place.folder}-away`), "unreachable"],
  ] as const)("copies nothing from a source with %s, and says so", async (_, damage, state) => {
    await damage();
    try {
      const result = await runCopy(await specOf(), recordingIo());
      expect(result).toEqual({ fault: { state, reason: expect.any(String) }, copies: [] });
      expect(await filesBelow(offsite.folder)).toEqual([]);
    } finally {
      if (state === "unreachable") await rename(`${place.folder}-away`, place.folder);
    }
  });

  it("goes on without a destination that can't take it, and fails when there is no other", async () => {
    const away = await setUp.addDestination(`away-${newId()}`);
    await rm(join(away.folder, ".holdfast-destination.json"));
    const result = await runCopy(await specOf([away, offsite]), recordingIo());
    expect(result.copies).toMatchObject([
      { destinationId: away.id, state: "failed", reason: expect.stringContaining("not there") },
      { destinationId: offsite.id, state: "stored" },
    ]);
    path = `${path}-2`;
    await expect(runCopy(await specOf([away]), recordingIo())).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("No destination could take the backup"),
      remedy: expect.stringContaining("make the copy again"),
    });
    expect(await filesBelow(away.folder)).toEqual([]);
  });

  it("leaves nothing when it is stopped in the middle", async () => {
    const io = recordingIo((_, self) => self.abort(new Error("cancelled by Ann")));
    await expect(runCopy(await specOf(), io)).rejects.toThrow("cancelled by Ann");
    expect(await filesBelow(offsite.folder)).toEqual([]);
  });
});

describe("removing folders", () => {
  it("removes those that are named and no other; what can't be reached says why", async () => {
    const beside = `${path}-beside`;
    for (const one of [path, beside]) {
      await mkdir(join(offsite.folder, one), { recursive: true });
      await copyFile(join(stored.folder, "manifest.json"), join(offsite.folder, one, "manifest.json"));
      await writeFile(join(offsite.folder, one, `.${DUMP}.0123456789abcdef.part`), "half");
    }
    const away = await setUp.addDestination(`away-${newId()}`);
    await rm(join(away.folder, ".holdfast-destination.json"));
    const answer = await runRemove({
      task: "remove",
      tempDir: setUp.folder,
      installId: setUp.installId,
      folders: [
        { id: "1", destination: offsite, path },
        { id: "2", destination: away, path },
        { id: "3", destination: offsite, path: `${path}-never-made` },
      ],
      limitMs: 30_000,
    });
    expect(new Map(answer.folders.map(({ id, error }) => [id, error]))).toEqual(
      new Map([
        ["1", null],
        ["2", expect.stringContaining("not there")],
        ["3", null],
      ]),
    );
    expect(await filesBelow(offsite.folder)).toEqual([
      join(beside, `.${DUMP}.0123456789abcdef.part`),
      join(beside, "manifest.json"),
    ]);
  });
});
