import type { Actor, Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { requirePermission } from "./permissions.ts";

/** The signed-in person, for verbs on one's own account. Throws `forbidden` for tokens and the system. */
export function requirePerson(ctx: Ctx): Extract<Actor, { kind: "user" }> {
  requirePermission(ctx, "account.own");
  if (ctx.actor.kind === "user") return ctx.actor;
  throw new HoldfastError("forbidden", "This concerns a person's own account; an API token has none.", {
    remedy: "Sign in to do it.",
  });
}
