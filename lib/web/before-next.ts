import type { IncomingMessage, ServerResponse } from "node:http";
import { describeError, problemResponse } from "../api/problem.ts";
import { RequestError } from "../api/request-error.ts";
import { ASKED_METHOD_HEADER } from "../api/unusual-method.ts";
import { newId } from "../ids.ts";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** What is taken below each beginning of a path; the first that fits counts. The API's routes tell their own. */
const TAKEN: [string, string[]][] = [
  ["/api/v1/", [...METHODS]],
  ["/api/auth/", ["GET", "HEAD", "POST", "OPTIONS"]],
  ["/api/", ["GET", "HEAD", "OPTIONS"]],
  ["/", ["GET", "HEAD", "POST", "OPTIONS"]],
];
/** A year, for this host alone: what else lives in its domain is not ours to decide. */
const STRICT_TRANSPORT = "max-age=31536000";

/**
 * Sees every request before Next does. Tells browsers to come over https only, where `publicUrl` is https
 * (RFC 6797); answers methods that Next would fail at, TRACE for one, with 405. True when it has answered.
 */
export function beforeNext(publicUrl: URL): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    if (publicUrl.protocol === "https:") response.setHeader("strict-transport-security", STRICT_TRANSPORT);
    delete request.headers[ASKED_METHOD_HEADER];
    const method = request.method ?? "";
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    const [begin, taken] = TAKEN.find(([start]) => path.startsWith(start)) ?? ["/", []];
    if (taken.includes(method)) return false;
    if (begin === "/api/v1/") {
      request.headers[ASKED_METHOD_HEADER] = method;
      request.method = "OPTIONS";
      return false;
    }
    void refuse(response, method, taken.join(", "));
    return true;
  };
}

async function refuse(response: ServerResponse, method: string, allow: string): Promise<void> {
  const requestId = newId();
  const error = new RequestError(405, "invalid", `${method} is not possible here; ${allow} is.`);
  const problem = problemResponse(describeError(error, requestId), requestId, { allow });
  // What was sent is not read: the connection can't be used again.
  response.writeHead(problem.status, { ...Object.fromEntries(problem.headers), connection: "close" });
  response.end(await problem.text());
}
