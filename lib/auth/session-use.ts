import type { IncomingHttpHeaders } from "node:http";
import { UNATTENDED_HEADER } from "../api-client.ts";

/**
 * Whether a request is made for a person at work, and so keeps a session from going idle. An open page reads again
 * what has changed, follows the event stream and fetches pages ahead; nobody need be there for that.
 */
export function isUse(headers: Headers): boolean {
  return !headers.has(UNATTENDED_HEADER);
}

/** Next hides its own headers from what answers a request, so a page fetched ahead is marked as one of those. */
export function markPrefetch(headers: IncomingHttpHeaders): void {
  if (headers["next-router-prefetch"] !== undefined) headers[UNATTENDED_HEADER] = "1";
}
