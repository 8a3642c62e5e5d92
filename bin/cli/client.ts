import { setTimeout as sleep } from "node:timers/promises";
import type { ExitCode } from "./exit.ts";
import { CliError, EXIT } from "./exit.ts";

export type Query = Record<string, string | number | boolean | undefined>;

/** The API as the CLI uses it: JSON in and out; errors become CliError with the documented exit code. */
export interface Client {
  get<T>(path: string, query?: Query): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  /** The raw answer, for exports and downloads. */
  stream(path: string, query?: Query): Promise<Response>;
}

interface Problem {
  title?: string;
  detail?: string;
  remedy?: string;
  code?: string;
  requestId?: string;
  fields?: Record<string, string>;
}

/** A request that was refused for now is sent again while that takes no longer than this in all. */
const PATIENCE_S = 120;

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403 || status === 409 || status === 429) return EXIT.refused;
  if (
    status === 400 ||
    status === 404 ||
    status === 405 ||
    status === 413 ||
    status === 415 ||
    status === 422
  ) {
    return EXIT.usage;
  }
  if (status === 504) return EXIT.timedOut;
  if (status === 502 || status === 503) return EXIT.unreachable;
  return EXIT.failed;
}

async function problemOf(answer: Response): Promise<CliError> {
  const problem = (await answer.json().catch(() => ({}))) as Problem;
  const fields = Object.entries(problem.fields ?? {}).map(([field, text]) => `${field}: ${text}`);
  const text = problem.detail ?? problem.title ?? `The server answered ${answer.status}.`;
  const message = [text, ...fields].join("\n  ");
  const remedy =
    problem.remedy ??
    (problem.requestId ? `Request id for the server's log: ${problem.requestId}` : undefined);
  return new CliError(exitCodeOf(answer.status), message, remedy);
}

/** Reads HOLDFAST_URL and HOLDFAST_TOKEN; throws exit 2 when the token is missing. */
export function createClient(env: Record<string, string | undefined>): Client {
  const base = (env.HOLDFAST_URL ?? "http://localhost:3000").replace(/\/+$/, "");
  const token = env.HOLDFAST_TOKEN;
  if (!token) {
    throw new CliError(
      EXIT.usage,
      "HOLDFAST_TOKEN is not set.",
      "Run: export HOLDFAST_TOKEN=$(./bin/holdfast token create --name cli --role operator) on Holdfast's host, or make a token under Settings, Tokens.",
    );
  }
  const ask = async (method: string, path: string, query: Query, body: unknown): Promise<Response> => {
    const url = new URL(`${base}/api/v1${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    try {
      return await fetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      throw new CliError(
        EXIT.unreachable,
        `Holdfast does not answer at ${base}.`,
        "Is it running? Set HOLDFAST_URL to where it is.",
      );
    }
  };
  const send = async (method: string, path: string, query: Query, body: unknown): Promise<Response> => {
    for (let waited = 0; ; ) {
      const answer = await ask(method, path, query, body);
      if (answer.ok) return answer;
      const wait = Number(answer.headers.get("retry-after") ?? Number.NaN);
      if (answer.status !== 429 || !(waited + wait <= PATIENCE_S)) throw await problemOf(answer);
      await answer.body?.cancel();
      await sleep(wait * 1000);
      waited += Math.max(wait, 1);
    }
  };
  return {
    async get<T>(path: string, query: Query = {}) {
      return (await (await send("GET", path, query, undefined)).json()) as T;
    },
    async post<T>(path: string, body: unknown = {}) {
      const answer = await send("POST", path, {}, body);
      return (answer.status === 204 ? undefined : await answer.json()) as T;
    },
    stream: (path, query = {}) => send("GET", path, query, undefined),
  };
}

/** A path segment from user input. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}
