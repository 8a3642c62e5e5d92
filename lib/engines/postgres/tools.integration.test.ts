import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ClientTools } from "./tools.ts";
import { chooseRestoreTools, chooseTools, findClientTools } from "./tools.ts";

const tools = (major: number): ClientTools => ({
  major,
  version: `${major}.1`,
  pgDump: `/${major}/pg_dump`,
  pgDumpall: `/${major}/pg_dumpall`,
  pgRestore: `/${major}/pg_restore`,
});

describe("chooseTools", () => {
  it.each([
    [[13, 15, 17], 15, 15],
    [[13, 17, 16], 15, 16],
    [[18], 13, 18],
  ])("of %s for a server %i takes %i", (majors, server, expected) => {
    expect(chooseTools(majors.map(tools), server).major).toBe(expected);
  });

  it("names what to install when there is none, or only older ones", () => {
    expect(() => chooseTools([], 15)).toThrow(
      expect.objectContaining({
        code: "unavailable",
        message: "No pg_dump was found on this machine.",
        remedy: expect.stringContaining("apt-get install postgresql-client-15"),
      }),
    );
    expect(() => chooseTools([tools(14), tools(15)], 17)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining("the newest pg_dump on this machine is 15"),
        remedy: expect.stringContaining("apt.postgresql.org"),
      }),
    );
  });
});

describe("chooseRestoreTools", () => {
  it.each([
    [[15, 16], 15, 15, 15],
    [[15, 16, 18], 15, 18, 18],
    [[15, 16], 15, 18, 15],
    [[15, 17], 17, 15, 17],
  ])("of %s, for a dump by %i into %i, takes %i", (majors, dump, server, expected) => {
    expect(chooseRestoreTools(majors.map(tools), dump, server).major).toBe(expected);
  });
});

describe("findClientTools", () => {
  it("finds the real ones of this machine", async () => {
    const found = await findClientTools();
    expect(found.map((one) => one.major)).toContain(15);
    expect(new Set(found.map((one) => one.pgDump)).size).toBe(found.length);
  });

  it("passes over folders that have only a part of them", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "hf-tools-"));
    try {
      await writeFile(path.join(folder, "pg_dump"), "#!/bin/sh\necho 'pg_dump (PostgreSQL) 19.3'\n");
      await chmod(path.join(folder, "pg_dump"), 0o755);
      expect(await findClientTools([folder, "/nowhere"])).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
