import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServerBinaries } from "./binaries.ts";
import { chooseServer, extensionLibrary, extensionVersion, hasExtension, isTrusted } from "./binaries.ts";
import { isWithin } from "./bubblewrap.ts";
import { defaultLimits } from "./limits.ts";
import { isMapped } from "./sandbox-user.ts";

let folder: string;
const servers: ServerBinaries[] = [];
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "hf-binaries-"));
  const add = async (major: number, source: ServerBinaries["source"], extensions: string[]) => {
    const root = path.join(folder, `${source}-${major}`);
    await mkdir(root);
    for (const name of extensions) {
      const control = `default_version = '1.${major}'\nmodule_pathname = '$libdir/${name}'\n`;
      await writeFile(
        path.join(root, `${name}.control`),
        control + (name === "citext" ? "trusted = true\n" : ""),
      );
    }
    servers.push({ major, source, root, bin: root, extensionDir: root, libraryDir: root });
  };
  await add(15, "system", ["citext"]);
  await add(15, "embedded", ["citext", "hstore"]);
  await add(18, "embedded", ["citext", "hstore", "vector"]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("chooseServer", () => {
  const chosen = (major: number, extensions: string[]) => {
    const server = chooseServer(servers, major, extensions);
    return `${server.source} ${server.major}`;
  };

  it("takes the same major, the system's before the embedded, else the nearest above", () => {
    expect(chosen(15, [])).toBe("system 15");
    expect(chosen(13, ["citext"])).toBe("system 15");
    expect(chosen(16, [])).toBe("embedded 18");
  });

  it("prefers a server that has the extensions", () => {
    expect(chosen(15, ["hstore"])).toBe("embedded 15");
    expect(chosen(15, ["hstore", "vector"])).toBe("embedded 18");
  });

  it("names what is missing on the nearest", () => {
    expect(() => chosen(15, ["citext", "postgis"])).toThrow("extension postgis is not available here");
    expect(() => chosen(15, ["postgis", "timescaledb"])).toThrow(
      "extensions postgis, timescaledb are not available here",
    );
    expect(() => chosen(19, [])).toThrow("PostgreSQL 19 or newer is not available here, only 15, 18.");
    expect(() => chooseServer([], 15, [])).toThrow("PostgreSQL 15 or newer is not available here.");
  });
});

it("reads control files, and never one outside their folder", () => {
  const [server] = servers;
  if (!server) throw new Error("no server");
  expect(extensionVersion(server, "citext")).toBe("1.15");
  expect(extensionLibrary(server, "citext")).toBe("$libdir/citext");
  expect(isTrusted(server, "citext")).toBe(true);
  expect(extensionVersion(server, "hstore")).toBeNull();
  expect(hasExtension(server, "../embedded-15/hstore")).toBe(false);
  expect(hasExtension(server, "")).toBe(false);
});

it("knows which uids a user namespace maps", () => {
  const all = "         0          0 4294967295\n";
  const container = "         0     100000      65536\n";
  expect(isMapped(all, { first: 2_047_000_000, count: 65_536 })).toBe(true);
  expect(isMapped(container, { first: 2_047_000_000, count: 65_536 })).toBe(false);
  expect(isMapped(container, { first: 64_100, count: 800 })).toBe(true);
});

it("tells what lies within a folder", () => {
  expect(isWithin("/usr/lib/x", "/usr/lib")).toBe(true);
  expect(isWithin("/usr/lib", "/usr/lib")).toBe(true);
  expect(isWithin("/usr/library", "/usr/lib")).toBe(false);
  expect(isWithin("/usr", "/usr/lib")).toBe(false);
});

it("limits a sandbox by the machine's size", () => {
  const GIB = 1024 ** 3;
  expect(defaultLimits(64 * GIB).memoryBytes).toBe(4 * GIB);
  expect(defaultLimits(4 * GIB).memoryBytes).toBe(2 * GIB);
  expect(defaultLimits(GIB).memoryBytes).toBe(GIB);
});
