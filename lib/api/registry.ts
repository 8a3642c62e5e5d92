import { z } from "zod";
import type { Endpoint } from "./endpoint.ts";
import { endpoint } from "./endpoint.ts";
import { auditEndpoints } from "./endpoints/audit.ts";
import { backupEndpoints } from "./endpoints/backups.ts";
import { databaseEndpoints } from "./endpoints/databases.ts";
import { destinationEndpoints } from "./endpoints/destinations.ts";
import { environmentEndpoints } from "./endpoints/environments.ts";
import { eventEndpoints } from "./endpoints/events.ts";
import { keyEndpoints } from "./endpoints/keys.ts";
import { meEndpoints } from "./endpoints/me.ts";
import { memberEndpoints } from "./endpoints/members.ts";
import { operationEndpoints } from "./endpoints/operations.ts";
import { overviewEndpoints } from "./endpoints/overview.ts";
import { policyEndpoints } from "./endpoints/policies.ts";
import { searchEndpoints } from "./endpoints/search.ts";
import { tokenEndpoints } from "./endpoints/tokens.ts";
import { workerEndpoints } from "./endpoints/workers.ts";
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
  ...overviewEndpoints,
  ...searchEndpoints,
  ...backupEndpoints,
  ...policyEndpoints,
  ...destinationEndpoints,
  ...databaseEndpoints,
  ...environmentEndpoints,
  ...auditEndpoints,
  ...keyEndpoints,
  ...memberEndpoints,
  ...tokenEndpoints,
  ...operationEndpoints,
  ...workerEndpoints,
  ...eventEndpoints,
  ...meEndpoints,
  openApi,
];
