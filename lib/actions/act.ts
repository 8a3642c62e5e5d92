import { unstable_rethrow } from "next/navigation";
import { describeError } from "../api/problem.ts";
import { anonymousCtx, currentSession } from "../auth/session.ts";
import type { Ctx } from "../context.ts";
import type { ErrorCode, FieldErrors } from "../errors.ts";
import { HoldfastError } from "../errors.ts";
import { newId } from "../ids.ts";
import { getRuntime } from "../runtime.ts";

export interface ActionError {
  /** "internal": not meant for people; the log has it under `requestId`. */
  code: ErrorCode | "internal";
  message: string;
  remedy: string | null;
  fields: FieldErrors | null;
  /** Only of what the log knows: an id that leads nowhere helps nobody. */
  requestId: string | null;
}
export type ActionResult<T> = { ok: true; data: T } | { ok: false; error: ActionError };

/**
 * The door of server actions: `return act((ctx) => createDatabase(ctx, input))`. Checks the session, runs the
 * verb and turns what it throws into an answer; errors not meant for people become a request id.
 */
export async function act<T>(work: (ctx: Ctx) => Promise<T>): Promise<ActionResult<T>> {
  return await answer(async () => {
    const session = await currentSession();
    if (!session) throw signedOut();
    if (session.mustChangePassword) throw changeFirst();
    return await work(session.ctx);
  });
}

/** As `act`, also while the password must be changed: for the verb that changes it only. */
export async function actBeforePasswordChange<T>(work: (ctx: Ctx) => Promise<T>): Promise<ActionResult<T>> {
  return await answer(async () => {
    const session = await currentSession();
    if (!session) throw signedOut();
    return await work(session.ctx);
  });
}

/** The door of what needs no sign-in: first set-up, accepting an invitation. */
export async function actAsNobody<T>(work: (ctx: Ctx) => Promise<T>): Promise<ActionResult<T>> {
  return await answer(async () => await work(await anonymousCtx()));
}

async function answer<T>(work: () => Promise<T>): Promise<ActionResult<T>> {
  try {
    return { ok: true, data: await work() };
  } catch (error) {
    unstable_rethrow(error);
    const requestId = newId();
    const { code, message, remedy, fields, unknown } = describeError(error, requestId);
    if (unknown) (await getRuntime()).log.error({ err: error, requestId }, "server action failed");
    return { ok: false, error: { code, message, remedy, fields, requestId: unknown ? requestId : null } };
  }
}

function signedOut(): HoldfastError {
  return new HoldfastError("unauthenticated", "You are signed out.", { remedy: "Sign in again." });
}

function changeFirst(): HoldfastError {
  return new HoldfastError("forbidden", "Your password is a temporary one.", {
    remedy: "Change it first: open /change-password.",
  });
}
