import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Page } from "../paging.ts";
import { destinationDtos } from "./find-destination.ts";
import type { DestinationDto } from "./schema.ts";

/** All destinations with the space they take and have; there are few, so all come in one page. */
export async function listDestinations(ctx: Ctx): Promise<Page<DestinationDto>> {
  requirePermission(ctx, "read");
  return { items: await destinationDtos(ctx), nextCursor: null };
}
