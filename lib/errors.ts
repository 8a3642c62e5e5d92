/** Stable codes; each maps to one HTTP status. */
const STATUS = {
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  refused: 409,
  throttled: 429,
  unavailable: 503,
  timeout: 504,
} as const;

export type ErrorCode = keyof typeof STATUS;

/** Message per field path ("connection.host"), shown beside the field. */
export type FieldErrors = Record<string, string>;

export interface ErrorDetails {
  /** What to do about it, in a sentence. */
  remedy?: string;
  fields?: FieldErrors;
  /** Seconds after which trying again makes sense. */
  retryAfter?: number;
  cause?: unknown;
}

/**
 * An error whose text is meant for the person who asked: it says what happened and why;
 * `remedy` says what to do. Any other error reaches the user as a request id only.
 */
export class HoldfastError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly fields: FieldErrors | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "HoldfastError";
    this.code = code;
    this.remedy = details.remedy;
    this.fields = details.fields;
    this.retryAfter = details.retryAfter;
  }

  /** HTTP status of this error. */
  get status(): number {
    return STATUS[this.code];
  }
}

export function isHoldfastError(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError;
}

/** Text of an unknown thrown value, for logs and operation reasons. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
