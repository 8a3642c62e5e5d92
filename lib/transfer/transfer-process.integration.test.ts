import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startTimeOf } from "../sandbox/process-identity.ts";
import { descendantsOf } from "./process-tree.ts";
import type { DumpSpec } from "./schema.ts";
import { runTransferProcess } from "./transfer-process.ts";
import { makeWorkFolder, sweepWorkFolders } from "./work-folder.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };
const ODD_CHILD = path.join(import.meta.dirname, "testing/odd-child.ts");
let temp: string;
beforeEach(async () => {
  temp = await mkdtemp(path.join(tmpdir(), "hf-transfer-"));
});
afterEach(() => rm(temp, { recursive: true, force: true }));

const specOf = (behave: string, port = 1): DumpSpec => ({
  task: "dump",
  serverIdentity: null,
  operationId: "op",
  attempt: 1,
  engine: "postgres",
  tempDir: temp,
  hidden: [],
  access: {
    connection: { host: "127.0.0.1", port, database: "db", user: "me", tls: "disable" },
    password: "s3cret-s3cret",
  },
  destinations: [{ id: "d", name: "local", kind: "local", config: { folder: temp } }],
  path: "p",
  recipients: [],
  lockWaitMs: 1_000,
  digestBudgetMs: 1_000,
  manifest: {
    behave,
    backupId: "b",
    installId: "i",
    holdfastVersion: "0",
    database: { name: "shop", application: "shop", environment: "test" },
    auditHead: null,
  },
});

function run(behave: string, signal = new AbortController().signal, graceMs = 300) {
  const heard: string[] = [];
  const done = runTransferProcess(specOf(behave), {
    signal,
    graceMs,
    program: ODD_CHILD,
    onLog: (line) => heard.push(line),
    onProgress: ({ label, done, total }) => heard.push(`${label} ${done}/${total}`),
    onSign: (sign) => heard.push(sign.moving ? "it moves" : sign.why),
    async onUnsettled(what) {
      heard.push(JSON.stringify(what));
      if ("refuse" in what) throw new Error("the claim is lost");
    },
    onStep: (name, detail) => heard.push(`step ${name} (${detail})`),
  });
  done.catch(() => undefined);
  return { heard, done };
}

const grandchild = (heard: string[]) =>
  vi.waitFor(() => {
    const pid = Number(/^grandchild (\d+)$/m.exec(heard.join("\n"))?.[1]);
    expect(pid).toBeGreaterThan(0);
    return pid;
  }, PATIENCE);

test("what the child says arrives in order, and nothing of our environment that it does not need goes there", async () => {
  process.env.HOLDFAST_ADMIN_PASSWORD = "not for children";
  const { heard, done } = run("talk");
  expect(await done).toEqual({ manifestText: "{}", copies: [], dumpSeconds: 1 });
  delete process.env.HOLDFAST_ADMIN_PASSWORD;
  expect(heard).toEqual([
    "step First (null)",
    expect.stringMatching(/^environment .*PATH/),
    "Bytes 1/2",
    "it moves",
    "waits for a lock",
    "step Second (ten rows)",
  ]);
  expect(heard[1]).not.toMatch(/PASSWORD|DATABASE_URL/);
});

test("what is unsettled is written down before the child goes on, or the child hears that it is not", async () => {
  const { heard, done } = run("settle");
  await done;
  expect(heard).toEqual(['{"swap":1}', "noted null", '{"refuse":true}', "noted the claim is lost"]);
});

test("an error stays what it was", async () => {
  await expect(run("error").done).rejects.toMatchObject({
    code: "conflict",
    message: "It is there already.",
    remedy: "Remove it.",
  });
});

test.each([
  ["crash", /ended with exit code 3 before it was done/],
  ["babble", /not a message of ours/],
])("a child that ends without a result: %s", async (behave, message) => {
  await expect(run(behave).done).rejects.toThrow(message);
});

test("a child that the system kills is said to be killed, and what it had started ends, too", async () => {
  const { heard, done } = run("die");
  const pid = await grandchild(heard);
  await expect(done).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("SIGKILL"),
  });
  await vi.waitFor(async () => expect(await startTimeOf(pid)).toBeNull(), PATIENCE);
});

test("abort asks first, then ends a deaf child and what it has started in other groups", async () => {
  const stop = new AbortController();
  const { heard, done } = run("deaf", stop.signal);
  const pid = await grandchild(heard);
  stop.abort(new Error("It was cancelled."));
  await expect(done).rejects.toThrow("It was cancelled.");
  expect(heard).toContain("told: It was cancelled.");
  await vi.waitFor(async () => expect(await startTimeOf(pid)).toBeNull(), PATIENCE);
});

test.each([
  ["killed", "SIGKILL"],
  ["frozen", "SIGSTOP"],
] as const)("a worker that is %s takes its transfer with it", async (_, signal) => {
  // A server that takes the connection and never answers.
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const holder = fork(path.join(import.meta.dirname, "testing/hold-transfer.ts"), [
    JSON.stringify(specOf("", port)),
    "2000",
  ]);
  await once(holder, "message");
  const below = await descendantsOf(holder.pid ?? 0);
  expect(below).not.toEqual([]);
  holder.kill(signal);
  // A frozen one can't take note of its child's end.
  await vi.waitFor(async () => {
    for (const { pid } of below) expect(await startTimeOf(pid)).toBeNull();
  }, PATIENCE);
  holder.kill("SIGKILL");
  server.close();
});

test("work folders of lost processes are swept, those of live ones stay", async () => {
  const mine = await makeWorkFolder(temp);
  const script = `import(${JSON.stringify(path.join(import.meta.dirname, "work-folder.ts"))})
    .then(({ makeWorkFolder }) => makeWorkFolder(process.argv[1])).then(() => process.send("made"));
    setInterval(() => {}, 1000)`;
  const other = fork("-e", [], { execArgv: ["-e", script, temp], stdio: "inherit" }).on(
    "error",
    () => undefined,
  );
  await once(other, "message");
  expect(await readdir(temp)).toHaveLength(2);
  expect(await sweepWorkFolders(temp)).toBe(0);
  other.kill("SIGKILL");
  await once(other, "exit");
  expect(await sweepWorkFolders(temp)).toBe(1);
  expect(await readdir(temp)).toEqual([path.basename(mine.path)]);
  await mine.remove();
  expect(await readdir(temp)).toEqual([]);
});
