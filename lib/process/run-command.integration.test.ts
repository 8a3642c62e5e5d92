import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HoldfastError } from "../errors.ts";
import { CommandError } from "./command-error.ts";
import type { CommandOptions } from "./run-command.ts";
import { runCommand, streamCommand } from "./run-command.ts";

let tempDir: string;
beforeEach(async () => {
  tempDir = await mkdtemp(path.join(tmpdir(), "hf-command-"));
});
afterEach(async () => {
  await rm(tempDir, { recursive: true, force: true });
});

const node = (script: string, more: Partial<CommandOptions> = {}): CommandOptions => ({
  program: process.execPath,
  args: ["-e", script],
  tempDir,
  ...more,
});

function alive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

async function pidIn(file: string): Promise<number> {
  return await vi.waitFor(async () => {
    const pid = Number(await readFile(file, "utf8"));
    if (!pid) throw new Error("not yet");
    return pid;
  }, 10_000);
}

describe("runCommand", () => {
  it("hands arguments over as they are, without a shell", async () => {
    const odd = ["$(touch owned)", "`id`", "a b", "; rm -rf x", "*", "'\"\\", "--", "é\n%s"];
    const { stdout } = await runCommand({
      program: process.execPath,
      args: ["-e", "process.stdout.write(JSON.stringify(process.argv.slice(1)))", "--", ...odd],
      tempDir,
    });
    expect(JSON.parse(stdout)).toEqual(odd);
    expect(existsSync(path.join(tempDir, "owned"))).toBe(false);
  });

  it("inherits nothing but PATH", async () => {
    process.env.HF_TEST_LEAK = "leak";
    const { stdout } = await runCommand(
      node("process.stdout.write(JSON.stringify(process.env))", { env: { PGPASSWORD: "s3cret" } }),
    );
    delete process.env.HF_TEST_LEAK;
    expect(JSON.parse(stdout)).toEqual({
      PATH: process.env.PATH,
      LANG: "C.UTF-8",
      LC_ALL: "C.UTF-8",
      HOME: tempDir,
      PGPASSWORD: "s3cret",
    });
  });

  it("judges the exit code and shows the end of stderr without secrets", async () => {
    const script = "process.stderr.write('first\\npassword is '+process.env.P+'\\n'); process.exitCode = 3";
    const failed = runCommand(node(script, { env: { P: "hunter2222" }, secrets: ["hunter2222"] }));
    await expect(failed).rejects.toSatisfy((error: unknown) => {
      if (!(error instanceof CommandError)) return false;
      expect(error).toMatchObject({ code: 3, signal: null, stderrTail: "first\npassword is [redacted]\n" });
      expect(error.message).not.toContain("hunter");
      return true;
    });
    await expect(runCommand(node("process.exitCode = 3", { okCodes: [0, 3] }))).resolves.toMatchObject({
      code: 3,
    });
  });

  it("judges a signal", async () => {
    await expect(runCommand(node("process.kill(process.pid, 'SIGKILL')"))).rejects.toMatchObject({
      code: null,
      signal: "SIGKILL",
    });
  });

  it("keeps the last 64 KiB of a huge stderr and never part of a secret", async () => {
    const script = `const s = process.env.P; for (let i = 0; i < 40000; i++) process.stderr.write(s + i + "\\n");
      process.stderr.write("the end", () => process.exit(1))`;
    const lines: string[] = [];
    const error = await runCommand(
      node(script, {
        env: { P: "abcdefghijklmnop" },
        secrets: ["abcdefghijklmnop"],
        onStderrLine: (line) => lines.push(line),
      }),
    ).catch((caught: unknown) => caught);
    if (!(error instanceof CommandError)) throw new Error("expected a failure");
    expect(error.stderrTail.length).toBeLessThanOrEqual(64 * 1024);
    expect(error.stderrTail).toMatch(/the end$/);
    expect(error.stderrTail).not.toContain("mnop");
    expect(lines).toHaveLength(40_001);
    expect(lines[39_999]).toBe("[redacted]39999");
  });

  it("refuses more output than allowed", async () => {
    const chatty = node("for (;;) process.stdout.write('x'.repeat(1000))", { timeoutMs: 20_000 });
    await expect(runCommand({ ...chatty, maxStdoutBytes: 5000 })).rejects.toMatchObject({ code: "refused" });
  });

  it("names a missing program and how to install it", async () => {
    const missing = runCommand({
      program: "no-such-program",
      args: [],
      tempDir,
      install: "apt-get install x",
    });
    await expect(missing).rejects.toSatisfy((error: unknown) => {
      if (!(error instanceof HoldfastError)) return false;
      expect(error).toMatchObject({ code: "unavailable", remedy: "Install it: apt-get install x" });
      return true;
    });
  });

  it("says when a program cannot be executed", async () => {
    const program = path.join(tempDir, "plain");
    await writeFile(program, "text");
    await chmod(program, 0o644);
    await expect(runCommand({ program, args: [], tempDir })).rejects.toMatchObject({ code: "unavailable" });
  });

  it("ends the whole group on abort, grandchildren that ignore SIGTERM too", async () => {
    const pidFile = path.join(tempDir, "pid");
    const grandchild = `process.on("SIGTERM", () => {}); require("fs").writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000)`;
    const script = `process.on("SIGTERM", () => {}); require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(grandchild)}], {stdio: "inherit"}); setInterval(() => {}, 1000)`;
    const abort = new AbortController();
    const running = runCommand(node(script, { signal: abort.signal, graceMs: 50 }));
    running.catch(() => undefined);
    const pid = await pidIn(pidFile);
    const why = new HoldfastError("refused", "Cancelled by a test.");
    abort.abort(why);
    await expect(running).rejects.toBe(why);
    await vi.waitFor(() => expect(alive(pid)).toBe(false), 10_000);
  });

  it("leaves nothing behind a program that ended well", async () => {
    const pidFile = path.join(tempDir, "pid");
    const grandchild = `require("fs").writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1000)`;
    const script = `const c = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(grandchild)}], {stdio: "inherit"}); c.unref();
      const t = setInterval(() => { if (require("fs").existsSync(${JSON.stringify(pidFile)})) { clearInterval(t); process.exit(0) } }, 10)`;
    await runCommand(node(script));
    const pid = await pidIn(pidFile);
    await vi.waitFor(() => expect(alive(pid)).toBe(false), 10_000);
  });

  it("does not start when it was aborted before", async () => {
    await expect(runCommand(node("", { signal: AbortSignal.abort(new Error("gone")) }))).rejects.toThrow(
      "gone",
    );
  });

  it("ends a program that takes too long", async () => {
    const slow = runCommand(node("setInterval(() => {}, 1000)", { timeoutMs: 100 }));
    await expect(slow).rejects.toMatchObject({ code: "timeout" });
  });
});

describe("stdin", () => {
  it("feeds the program", async () => {
    const { stdout } = await runCommand({
      program: "cat",
      args: [],
      tempDir,
      stdin: Readable.from([Buffer.from("one "), Buffer.from("two")]),
    });
    expect(stdout).toBe("one two");
  });

  it("reads the source to its end when the program stops reading early but succeeds", async () => {
    let last = 0;
    const source = Readable.from(
      (function* () {
        for (last = 1; last < 200; last++) yield Buffer.alloc(65_536);
      })(),
    );
    await runCommand({ program: "true", args: [], tempDir, stdin: source });
    expect(last).toBe(200);
  });

  it("reads a slow source to its end after the program has succeeded", async () => {
    for (let round = 0; round < 20; round += 1) {
      const source = Readable.from(
        (async function* () {
          yield Buffer.alloc(4096);
          await delay(round);
          yield Buffer.alloc(4096);
          await delay(round);
        })(),
      );
      await runCommand({ program: "head", args: ["-c", "4096"], tempDir, stdin: source });
      expect(source.readableEnded).toBe(true);
    }
  });

  it("does not wait for a source without end once it is stopped", async () => {
    const source = new Readable({ read() {} });
    const stop = new AbortController();
    const running = runCommand({ program: "true", args: [], tempDir, stdin: source, signal: stop.signal });
    source.push("x");
    await vi.waitFor(() => expect(source.listenerCount("data")).toBe(0));
    stop.abort(new Error("cancelled by Ann"));
    await expect(running).rejects.toThrow("cancelled by Ann");
  });

  it("destroys the source when the program fails", async () => {
    const source = new Readable({ read() {} });
    source.push("x");
    await expect(runCommand({ program: "false", args: [], tempDir, stdin: source })).rejects.toMatchObject({
      code: 1,
    });
    expect(source.destroyed).toBe(true);
  });

  it("ends the program when its source fails", async () => {
    const source = new Readable({ read() {} });
    const running = runCommand({ program: "cat", args: [], tempDir, stdin: source });
    source.destroy(new Error("bit flipped"));
    await expect(running).rejects.toThrow("bit flipped");
  });
});

describe("streamCommand", () => {
  it("streams with bounded memory and ends after success", async () => {
    const { stdout, done } = streamCommand({
      program: "head",
      args: ["-c", "50000000", "/dev/zero"],
      tempDir,
    });
    let bytes = 0;
    for await (const chunk of stdout) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(50_000_000);
    await expect(done).resolves.toMatchObject({ code: 0 });
  });

  it("fails the stream instead of ending it when the program fails after its output", async () => {
    const { stdout, done } = streamCommand(node("process.stdout.write('half'); process.exitCode = 7"));
    const seen: string[] = [];
    let ended = false;
    stdout.on("end", () => {
      ended = true;
    });
    await expect(
      pipeline(stdout, async (source) => {
        for await (const chunk of source) seen.push(String(chunk));
      }),
    ).rejects.toMatchObject({ code: 7 });
    await expect(done).rejects.toMatchObject({ code: 7 });
    expect(ended).toBe(false);
  });

  it("ends the group when its reader goes away", async () => {
    const { stdout, done, pid } = streamCommand({ program: "cat", args: ["/dev/zero"], tempDir });
    stdout.once("data", () => stdout.destroy());
    await expect(done).rejects.toThrow("closed by its reader");
    await vi.waitFor(() => expect(alive(pid)).toBe(false), 10_000);
  });

  it("ends on abort while nobody reads", async () => {
    const abort = new AbortController();
    const { stdout, done, pid } = streamCommand({
      program: "cat",
      args: ["/dev/zero"],
      tempDir,
      signal: abort.signal,
    });
    stdout.on("error", () => undefined);
    await vi.waitFor(() => expect(stdout.readableLength).toBeGreaterThan(0), 10_000);
    abort.abort(new Error("cancelled"));
    await expect(done).rejects.toThrow("cancelled");
    expect(alive(pid)).toBe(false);
  });

  it("fails the stream when the program is missing", async () => {
    const { stdout, done } = streamCommand({ program: "no-such-program", args: [], tempDir });
    await expect(stdout.toArray()).rejects.toMatchObject({
      code: "unavailable",
    });
    await expect(done).rejects.toMatchObject({ code: "unavailable" });
  });
});
