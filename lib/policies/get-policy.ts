import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { findPolicy } from "./find-policy.ts";
import { policyDtos } from "./policy-dto.ts";
import type { PolicyDto } from "./schema.ts";

/** One policy by name or id, with its next runs and how it last ran. */
export async function getPolicy(ctx: Ctx, nameOrId: string): Promise<PolicyDto> {
  const [policy] = await policyDtos(ctx, [await findPolicy(ctx, ctx.db, nameOrId, "read")]);
  if (!policy) throw new HoldfastError("not_found", `There is no policy "${nameOrId}" any more.`);
  return policy;
}
