import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError, isHoldfastError } from "../errors.ts";
import { readHostKey } from "../storage/sftp/sftp-connection.ts";
import type { hostKeySchema } from "./schema.ts";
import { readHostKeyInput } from "./schema.ts";

/**
 * The key that an SSH server shows, for a person to compare before it is pinned; nobody signs in. Throws `invalid`
 * with the reason when there is no answer.
 */
export async function readDestinationHostKey(
  ctx: Ctx,
  input: z.input<typeof readHostKeyInput>,
): Promise<z.infer<typeof hostKeySchema>> {
  requirePermission(ctx, "destination.write");
  const place = readHostKeyInput.parse(input);
  try {
    return { hostKey: await readHostKey(place) };
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    throw new HoldfastError("invalid", error.message, {
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      fields: error.fields ?? { "config.host": error.message },
      cause: error,
    });
  }
}
