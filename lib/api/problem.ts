import { z } from "zod";
import type { ErrorCode, FieldErrors } from "../errors.ts";
import { isHoldfastError } from "../errors.ts";

/** An error as API and server actions tell it. */
export interface ErrorDescription {
  status: number;
  code: ErrorCode | "internal";
  message: string;
  remedy: string | null;
  fields: FieldErrors | null;
  retryAfter: number | null;
  /** Not meant for people: to be logged under the request id. */
  unknown: boolean;
}

/** Prisma: cannot reach, timed out, connection closed, no connection free in time. */
const UNREACHABLE = new Set(["P1001", "P1002", "P1008", "P1017", "P2024", "ECONNREFUSED", "ECONNRESET"]);

/** What may be told of any thrown value: all of a HoldfastError, the fields of a refused input, else the id only. */
export function describeError(error: unknown, requestId: string): ErrorDescription {
  if (isHoldfastError(error)) {
    return {
      status: error.status,
      code: error.code,
      message: error.message,
      remedy: error.remedy ?? null,
      fields: error.fields ?? null,
      retryAfter: error.retryAfter ?? null,
      unknown: false,
    };
  }
  if (error instanceof z.ZodError) {
    return { ...known(422, "invalid", "Some fields are not right."), fields: fieldErrors(error) };
  }
  if (isUnreachable(error)) {
    return {
      ...known(503, "unavailable", "Holdfast's own database can't be reached."),
      remedy: "Try again in a moment; if it stays so, look at the console of the server.",
      retryAfter: 5,
      unknown: true,
    };
  }
  return {
    ...known(
      500,
      "internal",
      `Something went wrong on our side. The log has the details under ${requestId}.`,
    ),
    unknown: true,
  };
}

function known(status: number, code: ErrorDescription["code"], message: string): ErrorDescription {
  return { status, code, message, remedy: null, fields: null, retryAfter: null, unknown: false };
}

function isUnreachable(error: unknown): boolean {
  const seen = new Set<unknown>();
  let current = error;
  while (current instanceof Error && !seen.has(current)) {
    seen.add(current);
    if ("code" in current && typeof current.code === "string" && UNREACHABLE.has(current.code)) return true;
    current = current.cause;
  }
  return false;
}

/** One message per field path ("connection.host"); what concerns no field stands under "". */
export function fieldErrors(error: z.ZodError): FieldErrors {
  const fields = new Map<string, string>();
  for (const issue of error.issues) {
    const paths =
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => [...issue.path, key])
        : [issue.path as PropertyKey[]];
    const message = issue.code === "unrecognized_keys" ? "There is no such field." : issue.message;
    for (const path of paths) {
      const name = path.map(String).join(".");
      if (!fields.has(name)) fields.set(name, message);
    }
  }
  return Object.fromEntries(fields);
}

/** RFC 9457 problem details. `code`, `requestId`, `remedy` and `fields` are members of ours. */
export function problemResponse(error: ErrorDescription, requestId: string, headers?: HeadersInit): Response {
  const answer = new Headers(headers);
  answer.set("content-type", "application/problem+json");
  answer.set("cache-control", "no-store");
  answer.set("x-request-id", requestId);
  if (error.retryAfter !== null) answer.set("retry-after", String(error.retryAfter));
  if (error.status === 401) answer.set("www-authenticate", 'Bearer realm="holdfast"');
  const body = {
    type: `/api-docs#error-${error.code}`,
    title: TITLES[error.code],
    status: error.status,
    detail: error.message,
    code: error.code,
    requestId,
    ...(error.remedy === null ? {} : { remedy: error.remedy }),
    ...(error.fields === null ? {} : { fields: error.fields }),
  };
  return new Response(JSON.stringify(body), { status: error.status, headers: answer });
}

export const TITLES: Record<ErrorDescription["code"], string> = {
  invalid: "The request is not right",
  unauthenticated: "Not signed in",
  forbidden: "Not allowed",
  not_found: "Not found",
  conflict: "Changed in the meantime",
  refused: "Refused",
  throttled: "Not now",
  unavailable: "Not available",
  timeout: "Timed out",
  internal: "Internal error",
};
