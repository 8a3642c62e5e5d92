"use client";
import { useSharedQuery } from "@/components/ui/use-shared-query";
import { apiGet } from "@/lib/api-client";
import type { EnvironmentDto } from "@/lib/environments/schema";
import { settingsKeys } from "@/lib/members/query-keys";
import type { Page } from "@/lib/paging";

/** Names of the environments, for limits. */
export function useEnvironmentNames(): string[] {
  const { data } = useSharedQuery({
    queryKey: settingsKeys.environments,
    queryFn: ({ signal }) => apiGet<Page<EnvironmentDto>>("environments", {}, signal),
  });
  return (data?.items ?? []).map(({ name }) => name);
}
