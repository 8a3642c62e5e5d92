import { readFileSync } from "node:fs";
import path from "node:path";
import type { Env } from "../../env.ts";
import { parseEnv } from "../../env.ts";
import { keyFolder } from "../../secrets/keyring.ts";

/** The worker's settings, as they are now. */
export function workerSettings(): Env {
  return parseEnv(process.env);
}

/** Folders that a sandbox must not see: data, keys, and the destinations on this machine. */
export function hiddenFolders(env: Env, destinations: { kind: string; config: unknown }[]): string[] {
  const local = destinations.flatMap(({ kind, config }) => {
    if (kind !== "local") return [];
    const folder = (config as { folder?: unknown } | null)?.folder;
    return typeof folder === "string" ? [folder] : [];
  });
  return [...new Set([path.resolve(env.HOLDFAST_DATA), keyFolder(env), ...local])];
}

/** The version of this program, from package.json. */
export function ownVersion(): string {
  const text = readFileSync(path.resolve(import.meta.dirname, "../../../package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
