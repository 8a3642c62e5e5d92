import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client } from "pg";
import { expect, test } from "vitest";
import { HoldfastError } from "../errors.ts";
import { consoleLine } from "./console-line.ts";
import { locateDataFolder, prepareDataFolder } from "./data-folder.ts";
import { explain } from "./explain.ts";
import { LogFile } from "./log-file.ts";
import { requirePort } from "./port.ts";
import { firstError } from "./run-tool.ts";
import { contentStamp } from "./stamp.ts";
import { backOff } from "./supervisor.ts";
import { localOrigin } from "./wait-ready.ts";

function inFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(path.join(tmpdir(), "hf-start-"));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("the console shows warnings, errors and crashes, and leaves the rest to the log file", () => {
  expect(consoleLine("web", '{"level":30,"msg":"up"}', "stdout")).toBeNull();
  expect(consoleLine("web", '{"level":40,"msg":"slow"}', "stdout")).toBe("web: warning: slow");
  expect(consoleLine("web", '{"level":50,"msg":"failed","err":{"message":"no"}}', "stdout")).toBe(
    "web: error: failed: no",
  );
  expect(consoleLine("web", "some tool's chatter", "stdout")).toBeNull();
  expect(consoleLine("web", "TypeError: x is not a function", "stderr")).toBe(
    "web: TypeError: x is not a function",
  );
  expect(consoleLine("web", "{not json", "stderr")).toBe("web: {not json");
});

test("restarts come after 1 s, doubled up to 30 s", () => {
  expect([1, 2, 3, 4, 5, 6, 20].map(backOff)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test("a taken port is named with the setting that chooses another", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await expect(requirePort("127.0.0.1", port)).rejects.toMatchObject({
    message: `Port ${port} on 127.0.0.1 is taken by another program.`,
    remedy: expect.stringMatching(/PORT=\d+ npm start/),
  });
  await new Promise((resolve) => other.close(resolve));
  await expect(requirePort("127.0.0.1", port)).resolves.toBeUndefined();
});

test("a HOST of another machine is named as such", async () => {
  await expect(requirePort("192.0.2.1", 0)).rejects.toMatchObject({
    message: expect.stringContaining("HOST 192.0.2.1"),
  });
});

test("a build's stamp follows contents and names, not tests or times", () => {
  inFolder((folder) => {
    writeFileSync(path.join(folder, "a.ts"), "1");
    const before = contentStamp(folder, ["a.ts", "missing"]);
    writeFileSync(path.join(folder, "a.ts"), "1");
    expect(contentStamp(folder, ["a.ts", "missing"])).toBe(before);
    expect(contentStamp(folder, ["."])).toBe(before);
    writeFileSync(path.join(folder, "a.test.ts"), "2");
    expect(contentStamp(folder, ["."])).toBe(before);
    writeFileSync(path.join(folder, "a.ts"), "2");
    expect(contentStamp(folder, ["a.ts", "missing"])).not.toBe(before);
  });
});

test("a data folder is made private, and one that can't be is explained", () => {
  inFolder((folder) => {
    const data = path.join(folder, "x", "data");
    expect(locateDataFolder(data, null)).toEqual({ path: data, note: null });
    prepareDataFolder(data, null);
    writeFileSync(path.join(folder, "file"), "");
    expect(() => prepareDataFolder(path.join(folder, "file"), null)).toThrow(
      /cannot be written \(a file is in the way\)/,
    );
  });
});

test("a log that can't be written loses its text and nothing else", () => {
  inFolder((folder) => {
    const log = new LogFile(path.join(folder, "logs", "a.log"));
    log.write("one\n");
    expect(readFileSync(log.path, "utf8")).toBe("one\n");
    rmSync(path.join(folder, "logs"), { recursive: true });
    log.write("two\n");
  });
});

test("a failed start reads as a sentence and what to do", () => {
  expect(explain(new HoldfastError("invalid", "It is so.", { remedy: "Run: x" }))).toBe("It is so. Run: x");
  expect(firstError("fine\n\nError: broken\n at x\n")).toBe("Error: broken\n at x");
});

test("a database that can't be reached reads as a sentence too", async () => {
  for (const host of ["127.0.0.1", "localhost"]) {
    const error: unknown = await new Client({ host, port: 1 }).connect().catch((failure: unknown) => failure);
    expect(explain(error)).toMatch(
      /^Holdfast's database could not be reached: .*ECONNREFUSED.* Check DATABASE_URL/,
    );
  }
});

test("a web process that listens everywhere is asked over loopback", () => {
  expect(localOrigin("0.0.0.0", 3000)).toBe("http://127.0.0.1:3000");
  expect(localOrigin("::", 3000)).toBe("http://[::1]:3000");
  expect(localOrigin("::1", 3000)).toBe("http://[::1]:3000");
  expect(localOrigin("db.internal", 80)).toBe("http://db.internal:80");
});
