"use client";
import { useQuery } from "@tanstack/react-query";
import { apiGet } from "@/lib/api-client";
import { databaseKeys } from "@/lib/databases/query-keys";
import type { DatabaseItem } from "@/lib/databases/schema";
import type { Page } from "@/lib/paging";

/** Names of all databases, for a choice; the first 200. */
export function useDatabaseNames(): { value: string; label: string; engine: string }[] {
  const asked = { limit: "200" };
  const { data } = useQuery({
    queryKey: databaseKeys.list(asked),
    queryFn: ({ signal }) => apiGet<Page<DatabaseItem>>("databases", asked, signal),
  });
  return (data?.items ?? []).map(({ name, engine }) => ({ value: name, label: name, engine }));
}
