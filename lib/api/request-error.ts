import type { ErrorCode, ErrorDetails } from "../errors.ts";
import { HoldfastError } from "../errors.ts";

/** An error of the HTTP exchange itself, with a status of its own (400, 405, 413, 415). */
export class RequestError extends HoldfastError {
  readonly #status: number;

  constructor(status: number, code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details);
    this.#status = status;
  }

  override get status(): number {
    return this.#status;
  }
}
