import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inLargeBlocks } from "./large-blocks.ts";

const command = { program: "/usr/bin/pg_dump", args: ["-Fc"], tempDir: "/tmp" };

describe("inLargeBlocks", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "holdfast-blocks-"));
    await writeFile(path.join(folder, "stdbuf"), "");
    await chmod(path.join(folder, "stdbuf"), 0o755);
  });
  afterAll(async () => await rm(folder, { recursive: true }));

  it("starts the program through stdbuf, all else as it was", () => {
    expect(inLargeBlocks(command, `/nowhere:${folder}`)).toEqual({
      ...command,
      launcher: [path.join(folder, "stdbuf"), "--output=256K"],
    });
  });

  it("leaves the command alone where there is no stdbuf", () => {
    expect(inLargeBlocks(command, "/nowhere")).toEqual(command);
    expect(inLargeBlocks(command, "")).toEqual(command);
  });
});
