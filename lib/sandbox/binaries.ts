import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { EMBEDDED_MAJORS, ensureLinks, findNative } from "../embedded/postgres-server.ts";
import { HoldfastError } from "../errors.ts";

/** One installed PostgreSQL server. */
export interface ServerBinaries {
  major: number;
  source: "system" | "embedded";
  /** The whole installation: what a sandbox sees of it. */
  root: string;
  bin: string;
  /** Folder of the extensions' control files, where it was found. */
  extensionDir: string | null;
  libraryDir: string | null;
}

/** Folders that hold one folder per major: Debian, Red Hat, Alpine, Homebrew. */
const SYSTEM_PATTERNS: { parent: string; name: RegExp; bin: string }[] = [
  { parent: "/usr/lib/postgresql", name: /^(\d+)$/, bin: "bin" },
  { parent: "/usr", name: /^pgsql-(\d+)$/, bin: "bin" },
  { parent: "/usr/libexec", name: /^postgresql(\d+)$/, bin: "" },
  { parent: "/opt/homebrew/opt", name: /^postgresql@(\d+)$/, bin: "bin" },
  { parent: "/usr/local/opt", name: /^postgresql@(\d+)$/, bin: "bin" },
];

/** All PostgreSQL servers found on this machine, system packages before embedded ones, by major. */
export function findServers(): ServerBinaries[] {
  const found: ServerBinaries[] = [];
  for (const { parent, name, bin } of SYSTEM_PATTERNS) {
    if (!existsSync(parent)) continue;
    for (const entry of readdirSync(parent)) {
      const major = Number(name.exec(entry)?.[1]);
      if (major) found.push(...inspect(major, "system", path.join(parent, entry), bin));
    }
  }
  for (const major of EMBEDDED_MAJORS) {
    const native = findNative(major);
    if (native) found.push(...inspect(major, "embedded", native, "bin"));
  }
  return found.sort((a, b) => a.major - b.major);
}

function inspect(major: number, source: "system" | "embedded", root: string, bin: string): ServerBinaries[] {
  const folder = path.join(root, bin);
  if (!existsSync(path.join(folder, "postgres")) || !existsSync(path.join(folder, "initdb"))) return [];
  const shares = [
    ...["share/postgresql", "share", `share/postgresql@${major}`].map((at) => path.join(root, at)),
    `/usr/share/postgresql/${major}`,
    `/usr/share/postgresql${major}`,
  ];
  const share = shares.find((at) => existsSync(path.join(at, "extension")));
  const library = ["lib/postgresql", "lib"].map((at) => path.join(root, at)).find((at) => existsSync(at));
  return [
    {
      major,
      source,
      root,
      bin: folder,
      extensionDir: share ? path.join(share, "extension") : null,
      libraryDir: library ?? null,
    },
  ];
}

/** Whether that server could create the extension. */
export function hasExtension(server: ServerBinaries, name: string): boolean {
  // A name is part of a path here; PostgreSQL itself refuses these (extension.c, check_valid_extension_name).
  if (name === "" || name.includes("/") || name.includes("..")) return false;
  return server.extensionDir !== null && existsSync(path.join(server.extensionDir, `${name}.control`));
}

/**
 * The server to restore into: of the same major, else of the nearest above; among these the first that has
 * every extension. Throws `unavailable`, which makes a proof unverifiable, naming what is missing.
 */
export function chooseServer(
  servers: readonly ServerBinaries[],
  major: number,
  extensions: readonly string[],
): ServerBinaries {
  const candidates = servers.filter((server) => server.major >= major);
  const nearest = candidates[0];
  if (!nearest) {
    const majors = [...new Set(servers.map((server) => server.major))];
    throw new HoldfastError(
      "unavailable",
      `PostgreSQL ${major} or newer is not available here${majors.length ? `, only ${majors.join(", ")}` : ""}.`,
      { remedy: `Install the server programs on this worker: apt-get install -y postgresql-${major}` },
    );
  }
  const complete = candidates.find((server) => extensions.every((name) => hasExtension(server, name)));
  if (complete) return complete;
  const missing = extensions.filter((name) => !hasExtension(nearest, name));
  throw new HoldfastError(
    "unavailable",
    missing.length === 1
      ? `extension ${missing[0]} is not available here`
      : `extensions ${missing.join(", ")} are not available here`,
    { remedy: `Install the packages that hold them for PostgreSQL ${nearest.major} on this worker.` },
  );
}

/** Makes an embedded server's library links where its install script did not run. */
export async function prepareServer(server: ServerBinaries): Promise<void> {
  if (server.source === "embedded") await ensureLinks(server.root);
}

/** Default version of an extension, from its control file, or null. */
export function extensionVersion(server: ServerBinaries, name: string): string | null {
  return /^\s*default_version\s*=\s*'([^']*)'/m.exec(controlFile(server, name))?.[1] ?? null;
}

/** The library of an extension, as LOAD takes it, or null where it has none. */
export function extensionLibrary(server: ServerBinaries, name: string): string | null {
  return /^\s*module_pathname\s*=\s*'([^']*)'/m.exec(controlFile(server, name))?.[1] ?? null;
}

/** Whether a role without superuser rights may create it (since PostgreSQL 13: "trusted" in its control file). */
export function isTrusted(server: ServerBinaries, name: string): boolean {
  return name === "plpgsql" || /^\s*trusted\s*=\s*(true|on|yes|1)\b/m.test(controlFile(server, name));
}

function controlFile(server: ServerBinaries, name: string): string {
  if (!hasExtension(server, name) || !server.extensionDir) return "";
  return readFileSync(path.join(server.extensionDir, `${name}.control`), "utf8");
}
