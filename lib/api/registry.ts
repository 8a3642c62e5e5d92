import { z } from "zod";
import type { Endpoint } from "./endpoint.ts";
import { endpoint } from "./endpoint.ts";
import { meEndpoints } from "./endpoints/me.ts";
import { memberEndpoints } from "./endpoints/members.ts";
import { tokenEndpoints } from "./endpoints/tokens.ts";
import { openApiDocument } from "./openapi.ts";

const openApi = endpoint({
  method: "GET",
  path: "/openapi.json",
  tag: "API",
  summary: "This API as an OpenAPI 3.1 document",
  permission: null,
  output: z.record(z.string(), z.unknown()),
  handle: async (ctx) => openApiDocument(endpoints, ctx.publicUrl?.origin ?? ""),
});

/** Every route of /api/v1. Requests, the OpenAPI document and the walk of all roles go by this list. */
export const endpoints: readonly Endpoint[] = [
  ...meEndpoints,
  ...memberEndpoints,
  ...tokenEndpoints,
  openApi,
];
