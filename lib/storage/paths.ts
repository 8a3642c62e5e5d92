import { HoldfastError } from "../errors.ts";

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;

/**
 * Checks a path relative to a destination's root and returns its segments. Throws `invalid` for absolute
 * paths, "..", hidden names, backslashes and control characters.
 */
export function pathSegments(path: string): string[] {
  const segments = path.split("/");
  if (path.length > 1000 || segments.some((segment) => !SEGMENT.test(segment))) {
    throw new HoldfastError("invalid", `"${path.slice(0, 200)}" is not a path inside a destination.`, {
      remedy: 'Use names of letters, digits, ".", "_" and "-", separated by "/".',
    });
  }
  return segments;
}

/** The same for a prefix: "" stands for the whole destination, and a "/" may end it. */
export function prefixSegments(prefix: string): string[] {
  const trimmed = prefix.replace(/\/$/, "");
  return trimmed === "" ? [] : pathSegments(trimmed);
}
