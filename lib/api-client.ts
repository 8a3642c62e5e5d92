/** The browser's reads of /api/v1. Answers are typed, not parsed: both sides come from the same build. */

export interface ApiProblem {
  status: number;
  code: string;
  /** What happened and why. */
  message: string;
  /** What to do about it. */
  remedy: string | null;
  fields: Record<string, string>;
  requestId: string | null;
  /** Seconds after which trying again makes sense. */
  retryAfter: number | null;
}

export class ApiError extends Error {
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem) {
    super(problem.message);
    this.name = "ApiError";
    this.problem = problem;
  }
}

type QueryValue = string | number | boolean | null | undefined;
export type ApiQuery = Record<string, QueryValue>;

/** Path below /api/v1 with its query; empty values are left out. */
export function apiUrl(path: string, query: ApiQuery = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return `/api/v1/${path.replace(/^\//, "")}${text ? `?${text}` : ""}`;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const body: unknown = await response.json().catch(() => null);
  const problem = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const retryAfter = Number(problem.retryAfter ?? response.headers.get("retry-after"));
  return {
    status: response.status,
    code: text(problem.code) ?? "unknown",
    message:
      text(problem.detail) ??
      text(problem.title) ??
      `The server answered ${response.status} ${response.statusText}`.trim(),
    remedy: text(problem.remedy),
    fields: (problem.fields ?? {}) as Record<string, string>,
    requestId: text(problem.requestId) ?? response.headers.get("x-request-id"),
    retryAfter: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null,
  };
}

/** Marks a request that the page makes by itself: it does not count as use of the session (lib/auth/session-use.ts). */
export const UNATTENDED_HEADER = "x-holdfast-unattended";

/** Nobody has touched the page in the last seconds; false where the browser can't tell. */
function isUnattended(): boolean {
  return typeof navigator !== "undefined" && navigator.userActivation?.isActive === false;
}

/** Reads `path` below /api/v1. Throws ApiError; a server out of reach has status 0. */
export async function apiGet<T>(path: string, query: ApiQuery = {}, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(apiUrl(path, query), {
      headers: { accept: "application/json", ...(isUnattended() ? { [UNATTENDED_HEADER]: "1" } : {}) },
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError({
      status: 0,
      code: "unreachable",
      message: "Holdfast could not be reached: the server is down or the network is.",
      remedy: "What you see may be out of date. This page tries again by itself.",
      fields: {},
      requestId: null,
      retryAfter: null,
    });
  }
  if (!response.ok) throw new ApiError(await problemOf(response));
  return (await response.json()) as T;
}

/** Any thrown value as a problem that can be shown. */
export function toProblem(error: unknown): ApiProblem {
  if (error instanceof ApiError) return error.problem;
  return {
    status: 0,
    code: "unknown",
    message: "This page failed to show what the server answered.",
    remedy: "Reload the page. If it stays, report it with the browser's console output.",
    fields: {},
    requestId: null,
    retryAfter: null,
  };
}
