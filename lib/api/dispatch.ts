import { HoldfastError } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Runtime } from "../runtime.ts";
import { authenticate } from "./authenticate.ts";
import type { Endpoint } from "./endpoint.ts";
import type { StoredAnswer } from "./idempotency.ts";
import { idempotencyKey, once } from "./idempotency.ts";
import type { RouteMatch } from "./match-route.ts";
import { matchRoute, pathSegments } from "./match-route.ts";
import { describeError, problemResponse } from "./problem.ts";
import { readBody, readQuery } from "./read-request.ts";
import { RequestError } from "./request-error.ts";
import { ASKED_METHOD_HEADER } from "./unusual-method.ts";

const PREFIX = "/api/v1/";

/**
 * Answers one request to /api/v1 from the endpoint that fits it. Never throws: every error becomes problem+json
 * (RFC 9457) with a request id; one that is not meant for people is logged under that id and told as 500.
 */
export async function dispatch(
  runtime: Runtime,
  endpoints: readonly Endpoint[],
  request: Request,
): Promise<Response> {
  const requestId = newId();
  const started = performance.now();
  const { method } = request;
  const { pathname } = new URL(request.url);
  let response: Response;
  try {
    response = await answer(runtime, endpoints, request);
  } catch (error) {
    const described = describeError(error, requestId);
    if (described.unknown)
      runtime.log.error({ err: error, requestId, method, path: pathname }, "request failed");
    const allow = error instanceof NotAllowed ? { allow: error.allow } : undefined;
    response = problemResponse(described, requestId, allow);
  }
  response.headers.set("x-request-id", requestId);
  if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
  response.headers.set("x-content-type-options", "nosniff");
  response.headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  const ms = Math.round(performance.now() - started);
  runtime.log.debug({ requestId, method, path: pathname, status: response.status, ms }, "request");
  return request.method === "HEAD" ? new Response(null, response) : response;
}

async function answer(runtime: Runtime, endpoints: readonly Endpoint[], request: Request): Promise<Response> {
  const url = new URL(request.url);
  const found = route(endpoints, url.pathname, request);
  if (found instanceof Response) return found;
  const { endpoint, params } = found;
  const ctx = await authenticate(runtime, request, endpoint);
  const query = readQuery(url.searchParams, endpoint.query);
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  const body = hasBody ? await readBody(request, endpoint.body) : undefined;
  const { signal, headers } = request;
  const run = () => endpoint.handle(ctx, { params, body, query, signal, headers } as never);
  const key = endpoint.method === "POST" && !endpoint.streams ? idempotencyKey(headers) : null;
  if (key === null) return respond(endpoint, await run());
  const asked = { key, method: endpoint.method, path: `${url.pathname}${url.search}`, body };
  const stored = await once(runtime, ctx, asked, run, (result) => plain(endpoint, result));
  const response = fromPlain(stored);
  if (stored.replayed) response.headers.set("idempotency-replayed", "true");
  return response;
}

class NotAllowed extends RequestError {
  readonly allow: string;

  constructor(method: string, allow: string) {
    super(405, "invalid", `${method} is not possible here; ${allow} is.`);
    this.allow = allow;
  }
}

/** The endpoint for path and method, or the answer to OPTIONS. Throws `not_found` or 405. */
function route(
  endpoints: readonly Endpoint[],
  pathname: string,
  { method, headers }: Request,
): RouteMatch | Response {
  const segments = pathname.startsWith(PREFIX) ? pathSegments(pathname.slice(PREFIX.length)) : null;
  const matches = segments ? matchRoute(endpoints, segments) : [];
  if (matches.length === 0) {
    throw new HoldfastError("not_found", "There is nothing at this address.", {
      remedy: "GET /api/v1/openapi.json lists every endpoint; /api-docs shows them.",
    });
  }
  const methods = new Set(matches.map((match) => match.endpoint.method as string));
  const plainGet = matches.find((match) => match.endpoint.method === "GET" && !match.endpoint.streams);
  if (plainGet) methods.add("HEAD");
  const allow = [...methods, "OPTIONS"].join(", ");
  const unusual = headers.get(ASKED_METHOD_HEADER);
  if (unusual !== null) throw new NotAllowed(unusual, allow);
  if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
  const match =
    method === "HEAD" ? plainGet : matches.find((candidate) => candidate.endpoint.method === method);
  if (!match) throw new NotAllowed(method, allow);
  return match;
}

/** A verb's result as an HTTP answer; parsed by `output`, so that nothing leaves that is not described. */
function respond(endpoint: Endpoint, result: unknown): Response {
  if (result instanceof Response) return new Response(result.body, result);
  return fromPlain(plain(endpoint, result));
}

function plain(endpoint: Endpoint, result: unknown): StoredAnswer {
  const status = endpoint.status ?? 200;
  if (status === 204 || !endpoint.output) return { status: 204, body: null };
  const parsed = endpoint.output.safeParse(result);
  if (!parsed.success) {
    // Not a ZodError of the caller's input: that would blame the caller.
    throw new Error(`The answer of ${endpoint.method} ${endpoint.path} is not as described: ${parsed.error}`);
  }
  return { status, body: JSON.stringify(parsed.data) };
}

function fromPlain({ status, body }: StoredAnswer): Response {
  return body === null
    ? new Response(null, { status })
    : new Response(body, { status, headers: { "content-type": "application/json" } });
}
