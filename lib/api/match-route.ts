import type { Endpoint } from "./endpoint.ts";

export interface RouteMatch {
  endpoint: Endpoint;
  params: Record<string, string>;
}

interface Candidate extends RouteMatch {
  /** Literal segments before the first parameter count most: "/tokens/all" is preferred to "/tokens/{token}". */
  literal: string;
}

/**
 * The decoded segments of a path below /api/v1, or null when it can't be one of ours: a wrong escape, an empty
 * segment, or a slash, dot segment or control character inside one.
 */
export function pathSegments(pathname: string): string[] | null {
  const raw = pathname.replace(/^\//, "").split("/");
  const segments: string[] = [];
  for (const part of raw) {
    const text = decode(part);
    if (text === null || text === "" || text === "." || text === ".." || /[/\\\p{Cc}]/u.test(text))
      return null;
    segments.push(text);
  }
  return segments;
}

function decode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** Every endpoint whose path fits, most literal first; they differ in method or in how literal they are. */
export function matchRoute(endpoints: readonly Endpoint[], segments: string[]): RouteMatch[] {
  const found: Candidate[] = [];
  for (const endpoint of endpoints) {
    const pattern = endpoint.path.slice(1).split("/");
    const params = pattern.length === segments.length ? bindParams(pattern, segments) : null;
    const literal = pattern.map((part) => (part.startsWith("{") ? "1" : "0")).join("");
    if (params) found.push({ endpoint, params, literal });
  }
  found.sort((a, b) => (a.literal < b.literal ? -1 : a.literal > b.literal ? 1 : 0));
  return found.map(({ endpoint, params }) => ({ endpoint, params }));
}

function bindParams(pattern: string[], segments: string[]): Record<string, string> | null {
  const params = new Map<string, string>();
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name) params.set(name, segment);
    else if (part !== segment) return null;
  }
  return Object.fromEntries(params);
}
