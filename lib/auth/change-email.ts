import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { Prisma } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { changeEmailInput } from "../members/schema.ts";
import { confirmPassword } from "./confirm-password.ts";
import { requirePerson } from "./require-person.ts";

/**
 * Changes the e-mail address that one signs in with, with the password typed again. Throws `invalid` when the
 * password is wrong, `conflict` for another account's address.
 */
export async function changeEmail(ctx: Ctx, input: z.input<typeof changeEmailInput>): Promise<void> {
  requirePerson(ctx);
  const { email, password } = changeEmailInput.parse(input);
  const user = await confirmPassword(ctx, password);
  if (email === user.email) return;
  try {
    await ctx.db.$transaction(async (tx) => {
      await tx.user.update({ where: { id: user.id }, data: { email } });
      await emitAudit(tx, ctx, {
        action: "member.change-email",
        object: { kind: "member", id: user.id, name: email },
        before: { email: user.email },
        after: { email },
      });
      await emitEvent(tx, "settings", user.id);
    });
  } catch (error) {
    const taken = error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002";
    if (!taken) throw error;
    throw new HoldfastError("conflict", `Another account signs in with ${email}.`, {
      remedy: "Give another address, or ask an admin about that account.",
      fields: { email: "of another account" },
    });
  }
}
