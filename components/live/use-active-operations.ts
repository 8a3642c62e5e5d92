"use client";
import { useSharedQuery } from "@/components/ui/use-shared-query";
import { apiGet } from "@/lib/api-client";
import { operationKeys } from "@/lib/operations/query-keys";
import type { OperationItem } from "@/lib/operations/schema";
import type { Page } from "@/lib/paging";

const LIMIT = 50;

/** Operations that are queued or running, one query for the whole page; followed closely while there are any. */
export function useActiveOperations() {
  return useSharedQuery({
    queryKey: operationKeys.list({ state: "active", limit: String(LIMIT) }),
    queryFn: ({ signal }) =>
      apiGet<Page<OperationItem>>("operations", { state: "active", limit: LIMIT }, signal),
    refetchInterval: (query) => (query.state.data?.items.length ? 2500 : 60_000),
  });
}
