import { randomBytes } from "node:crypto";

/** Names of unfinished files beside their place, in folders. */
export const PART_FILE = /^\.[^/]+\.[0-9a-f]{16}\.part$/;

/** A new name for the unfinished file of `name`. */
export function partName(name: string): string {
  return `.${name}.${randomBytes(8).toString("hex")}.part`;
}
