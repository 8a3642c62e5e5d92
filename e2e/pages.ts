import type { APIRequestContext } from "@playwright/test";
import type { BackupItem } from "../lib/backups/schema.ts";
import type { DatabaseItem } from "../lib/databases/schema.ts";
import type { OperationItem } from "../lib/operations/schema.ts";
import type { Page } from "../lib/paging.ts";
import type { PolicyDto } from "../lib/policies/schema.ts";
import { read } from "./session.ts";

/** Every page of the console, with things that the earlier journeys have left for those that show one. */
export async function allPages(request: APIRequestContext): Promise<string[]> {
  const backups = await read<Page<BackupItem>>(request, "backups");
  const databases = await read<Page<DatabaseItem>>(request, "databases");
  const operations = await read<Page<OperationItem>>(request, "operations");
  const policies = await read<Page<PolicyDto>>(request, "policies");
  const stored = backups.items.find(({ state }) => state === "complete");
  const failed = backups.items.find(({ proof }) => proof?.verdict === "failed");
  return [
    "/",
    "/databases",
    "/databases/new",
    ...databases.items.slice(0, 1).flatMap(({ name }) => [`/databases/${name}`, `/databases/${name}/edit`]),
    "/backups",
    ...(stored ? [`/backups/${stored.id}`, `/backups/${stored.id}/restore`] : []),
    ...(failed ? [`/backups/${failed.id}`] : []),
    "/policies",
    "/policies/new",
    ...policies.items.slice(0, 1).flatMap(({ name }) => [`/policies/${name}`, `/policies/${name}/edit`]),
    "/operations",
    ...operations.items.slice(0, 1).map(({ id }) => `/operations/${id}`),
    "/audit",
    "/settings/account",
    "/settings/members",
    "/settings/tokens",
    "/settings/environments",
    "/settings/destinations",
    "/settings/keys",
    "/settings/workers",
    "/api-docs",
    "/nothing-is-here",
  ];
}
