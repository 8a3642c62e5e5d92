import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeLock } from "./lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "hf-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Another process that takes the lock, says so and holds it until it is killed. */
async function holder(file: string) {
  const script = `
    const { takeLock } = await import(${JSON.stringify(path.join(import.meta.dirname, "lock.ts"))});
    const lock = takeLock(${JSON.stringify(file)});
    console.log(lock ? "held" : "refused");
    setInterval(() => lock, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [text] = (await once(child.stdout, "data")) as [Buffer];
  return { child, said: text.toString().trim() };
}

test("of two processes one holds it, and kill -9 gives it back", async () => {
  const file = path.join(folder, "a.lock");
  const first = await holder(file);
  expect(first.said).toBe("held");
  expect(takeLock(file)).toBeNull();
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  const lock = takeLock(file);
  expect(lock).not.toBeNull();
  const second = await holder(file);
  expect(second.said).toBe("refused");
  second.child.kill("SIGKILL");
  lock?.release();
});

test("it is one private file", () => {
  const file = path.join(folder, "a.lock");
  const lock = takeLock(file);
  expect(readdirSync(folder)).toEqual(["a.lock"]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  lock?.release();
});
