import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { constants, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DumpArtefact } from "../engines/engine.ts";
import { newId } from "../ids.ts";
import { streamCommand } from "../process/run-command.ts";
import { localStorage } from "../storage/local/local-storage.ts";
import type { Storage } from "../storage/storage.ts";
import { FanOut } from "./fan-out.ts";
import { storeArtefact } from "./store-artefact.ts";

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;
const PATH = "backups/one";

let folder: string;
let recipient: string;
const running = new AbortController();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-store-"));
  const identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  await writeFile(join(folder, "identity.txt"), `${identity}\n`, { mode: 0o600 });
});
afterAll(async () => {
  running.abort();
  await rm(folder, { recursive: true });
});

/** A real program's output as an artefact. */
function programArtefact(program: string, args: string[]): DumpArtefact {
  return {
    name: "dump",
    file: "dump.bin",
    open() {
      const { stdout, done } = streamCommand({ program, args, tempDir: folder });
      return { stream: stdout, done: done.then(() => undefined) };
    },
  };
}

async function destination(
  name: string,
): Promise<{ id: string; name: string; storage: Storage; root: string }> {
  const root = join(folder, `${name}-${randomBytes(4).toString("hex")}`);
  const storage = localStorage(root, newId());
  await storage.init();
  return { id: name, name, storage, root };
}

async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .flatMap((entry) => (entry.isFile() ? [entry.name] : []))
    .filter((name) => name !== ".holdfast-destination.json");
}

const lines: string[] = [];
const options = { log: (line: string) => void lines.push(line) };
const store = { recipients: [] as string[], signal: running.signal, onBytes: () => undefined };

describe("storing an artefact", () => {
  it("makes a file that stock tools open, and tells its sums", async () => {
    const content = Buffer.concat([randomBytes(3_000_000), Buffer.alloc(5_000_000, "abc")]);
    await writeFile(join(folder, "content"), content);
    const target = await destination("plain");
    const fanOut = new FanOut([target], PATH, options);
    const artefact = await storeArtefact(programArtefact("cat", [join(folder, "content")]), fanOut, {
      ...store,
      recipients: [recipient],
    });
    expect(await filesBelow(target.root)).toEqual([expect.stringMatching(/\.part$/)]);
    await fanOut.publish(artefact.file);
    const file = join(target.root, PATH, "dump.bin.zst.age");
    const bytes = await readFile(file);
    const sha256 = (data: Buffer) => createHash("sha256").update(data).digest("hex");
    expect(artefact).toEqual({
      name: "dump",
      file: "dump.bin.zst.age",
      bytes: bytes.length,
      sha256: sha256(bytes),
      plainBytes: content.length,
      plainSha256: sha256(content),
      compression: "zstd",
      encryption: "age",
    });
    const script = 'age -d -i "$1" "$2" | zstd -d | cmp - "$3"';
    await run("bash", [
      "-o",
      "pipefail",
      "-c",
      script,
      "x",
      join(folder, "identity.txt"),
      file,
      join(folder, "content"),
    ]);
  });

  it("goes on without a destination that fails", async () => {
    const good = await destination("good");
    const lost = await destination("lost");
    await rm(join(lost.root, ".holdfast-destination.json"));
    const fanOut = new FanOut([good, lost], PATH, options);
    const artefact = await storeArtefact(
      programArtefact("head", ["-c", "3000000", "/dev/urandom"]),
      fanOut,
      store,
    );
    await fanOut.publish(artefact.file);
    await fanOut.settled();
    expect(fanOut.outcomes()).toEqual([
      { destinationId: "good", state: "stored", bytes: artefact.bytes, reason: null },
      { destinationId: "lost", state: "failed", bytes: 0, reason: expect.stringContaining("not there") },
    ]);
    expect(await filesBelow(lost.root)).toEqual([]);
  });

  if (isRoot)
    it("goes on without a destination whose disk runs full, and keeps nothing there", async () => {
      const small = join(folder, "small");
      await mkdir(small);
      await run("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", small]);
      try {
        const good = await destination("good");
        const full = { id: "full", name: "full", storage: localStorage(small, newId()) };
        await full.storage.init();
        const fanOut = new FanOut([full, good], PATH, options);
        const artefact = await storeArtefact(
          programArtefact("head", ["-c", "30000000", "/dev/urandom"]),
          fanOut,
          store,
        );
        await fanOut.publish(artefact.file);
        await fanOut.settled();
        expect(fanOut.outcomes()).toMatchObject([
          { state: "failed", reason: expect.stringContaining("is full") },
          { state: "stored", bytes: artefact.bytes },
        ]);
        expect(await filesBelow(small)).toEqual([]);
      } finally {
        await run("umount", ["-l", small]);
      }
    });

  it("leaves a destination behind that takes no data", async () => {
    const good = await destination("good");
    const stuck = await stuckDestination();
    const fanOut = new FanOut([good, stuck], PATH, {
      ...options,
      windowBytes: 1_000_000,
      detachAfterMs: 300,
    });
    const artefact = await storeArtefact(
      programArtefact("head", ["-c", "20000000", "/dev/urandom"]),
      fanOut,
      store,
    );
    await fanOut.publish(artefact.file);
    await fanOut.settled();
    expect(fanOut.outcomes()).toMatchObject([
      { state: "stored", bytes: artefact.bytes },
      { state: "failed", reason: expect.stringContaining("took no data") },
    ]);
    expect(stuck.aborted()).toBe(true);
  });

  it("keeps nothing anywhere when the program fails midway", async () => {
    const one = await destination("one");
    const two = await destination("two");
    const fanOut = new FanOut([one, two], PATH, options);
    const script = "process.stdout.write(Buffer.alloc(5e6, 'x'), () => process.exit(3))";
    const failing = programArtefact(process.execPath, ["-e", script]);
    await expect(storeArtefact(failing, fanOut, store)).rejects.toThrow(/3/);
    await fanOut.abort();
    expect(await filesBelow(one.root)).toEqual([]);
    expect(await filesBelow(two.root)).toEqual([]);
    expect(await readdir(one.root)).toEqual([".holdfast-destination.json"]);
  });

  it("ends the program when no destination is left", async () => {
    const stuck = await stuckDestination();
    const fanOut = new FanOut([stuck], PATH, { ...options, windowBytes: 1_000_000, detachAfterMs: 200 });
    const endless = programArtefact("cat", ["/dev/urandom"]);
    await expect(storeArtefact(endless, fanOut, store)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("No destination could take the backup"),
    });
    await fanOut.abort();
  });

  it("stops when it is told to", async () => {
    const target = await destination("one");
    const fanOut = new FanOut([target], PATH, options);
    const stop = new AbortController();
    const storing = storeArtefact(programArtefact("cat", ["/dev/urandom"]), fanOut, {
      ...store,
      signal: stop.signal,
      onBytes: (bytes) => {
        if (bytes > 3_000_000) stop.abort(new Error("cancelled by Ann"));
      },
    });
    await expect(storing).rejects.toThrow("cancelled by Ann");
    await fanOut.abort();
    expect(await readdir(target.root)).toEqual([".holdfast-destination.json"]);
  });

  it("removes what was published when it is aborted later", async () => {
    const target = await destination("one");
    const fanOut = new FanOut([target], PATH, options);
    const artefact = await storeArtefact(
      programArtefact("head", ["-c", "100000", "/dev/zero"]),
      fanOut,
      store,
    );
    await fanOut.publish(artefact.file);
    await fanOut.put("RESTORE.md", "how");
    await fanOut.put("manifest.json", "{}");
    expect((await filesBelow(target.root)).length).toBe(3);
    await fanOut.abort();
    expect(await readdir(target.root)).toEqual([".holdfast-destination.json"]);
  });
});

/** Its objects go into a pipe whose reader reads nothing: as real a blocked disk as a test can have. */
async function stuckDestination() {
  const inner = await destination("stuck");
  const pipe = join(inner.root, "pipe");
  await run("mkfifo", [pipe]);
  // Opened for both, so that neither side waits for the other one.
  const held = await open(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  let aborted = false;
  const storage: Storage = {
    kind: inner.storage.kind,
    capabilities: inner.storage.capabilities,
    init: () => inner.storage.init(),
    test: () => inner.storage.test(),
    read: (path, range) => inner.storage.read(path, range),
    stat: (path) => inner.storage.stat(path),
    list: (prefix) => inner.storage.list(prefix),
    delete: (path) => inner.storage.delete(path),
    sweep: (prefix) => inner.storage.sweep(prefix),
    async write() {
      const stream = createWriteStream(pipe);
      return {
        stream,
        commit: () => Promise.reject(new Error("nothing was taken")),
        async abort() {
          if (aborted) return;
          aborted = true;
          // Lets go of the write that hangs in the kernel.
          const drain = Buffer.alloc(1_000_000);
          stream.destroy();
          while (!stream.closed) {
            await held.read(drain, 0, drain.length).catch(() => undefined);
            await setImmediate();
          }
          await held.close();
        },
      };
    },
  };
  return { id: "stuck", name: "stuck", storage, root: inner.root, aborted: () => aborted };
}
