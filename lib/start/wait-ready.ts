import { setTimeout as delay } from "node:timers/promises";
import { HoldfastError } from "../errors.ts";

const LONGEST_MS = 120_000;

/** Where a process of this machine reaches a web process that listens on `host`. */
export function localOrigin(host: string, port: number): string {
  const wildcard: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "[::1]" };
  const name = wildcard[host] ?? (host.includes(":") ? `[${host}]` : host);
  return `http://${name}:${port}`;
}

/**
 * Waits until /api/readyz says so. Throws `unavailable` after two minutes, or as soon as `givenUp` returns a
 * reason, naming what is not ready.
 */
export async function waitReady(
  origin: string,
  options: { signal: AbortSignal; givenUp: () => string | null },
): Promise<void> {
  const deadline = Date.now() + LONGEST_MS;
  let last = "the web process does not answer";
  while (Date.now() < deadline) {
    options.signal.throwIfAborted();
    const reason = options.givenUp();
    if (reason) throw new HoldfastError("unavailable", `Holdfast did not get ready: ${reason}.`);
    try {
      const response = await fetch(`${origin}/api/readyz`, { signal: AbortSignal.timeout(5000) });
      if (response.ok) return;
      last = await response.text();
    } catch {
      // Not listening yet.
    }
    await delay(50, undefined, { signal: options.signal });
  }
  throw new HoldfastError("unavailable", `Holdfast did not get ready in 2 minutes: ${last}.`);
}
