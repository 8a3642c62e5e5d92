import type { Ctx } from "../context.ts";
import type { User } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";
import { verifyPassword } from "./passwords.ts";
import { requirePerson } from "./require-person.ts";
import { countTry, forgiveTry } from "./throttle.ts";

/**
 * The signed-in person's row, after their password was typed again: a session left open, or stolen, is not
 * enough for what follows. Throws `invalid` on `field`, or `throttled` after too many tries.
 */
export async function confirmPassword(ctx: Ctx, password: string, field = "password"): Promise<User> {
  const actor = requirePerson(ctx);
  const user = await ctx.db.user.findUniqueOrThrow({ where: { id: actor.id } });
  const key = { kind: "account", name: `${user.email}#confirm` } as const;
  await countTry(ctx, key);
  const { ok } = await verifyPassword(password.slice(0, 1024), user.passwordHash);
  if (!ok) {
    throw new HoldfastError("invalid", "This is not your password.", {
      fields: { [field]: "not your password" },
    });
  }
  await forgiveTry(ctx, key);
  return user;
}
