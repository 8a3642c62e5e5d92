import type { ApiProblem } from "@/lib/api-client";

/** What a server action answers; failures are values, since thrown texts don't reach the browser. */
export type ActionResult<T> = { ok: true; data: T } | { ok: false; error: ActionFailure };

export interface ActionFailure {
  code: string;
  message: string;
  remedy?: string | null | undefined;
  fields?: Record<string, string> | null | undefined;
  requestId?: string | null | undefined;
  retryAfter?: number | null | undefined;
}

export type ServerAction<I, T> = (input: I) => Promise<ActionResult<T>>;

/** Calls a server action; a server out of reach or newer than this page becomes a failure, too. */
export async function callAction<I, T>(action: ServerAction<I, T>, input: I): Promise<ActionResult<T>> {
  try {
    return await action(input);
  } catch (error) {
    // Redirects of the framework travel as errors.
    if (typeof error === "object" && error !== null && "digest" in error) throw error;
    const stale = error instanceof Error && /Server Action/i.test(error.message);
    return {
      ok: false,
      error: stale
        ? {
            code: "stale",
            message: "This page belongs to an older version of Holdfast; nothing was changed.",
            remedy: "Reload the page and do it again.",
          }
        : {
            code: "unreachable",
            message: "The server could not be reached, so it is not known whether this was done.",
            remedy: "Check the network, reload, and look before doing it again.",
          },
    };
  }
}

/** A failure in the shape that panels show. */
export function failureToProblem(failure: ActionFailure): ApiProblem {
  return {
    status: 0,
    code: failure.code,
    message: failure.message,
    remedy: failure.remedy ?? null,
    fields: failure.fields ?? {},
    requestId: failure.requestId ?? null,
    retryAfter: failure.retryAfter ?? null,
  };
}
