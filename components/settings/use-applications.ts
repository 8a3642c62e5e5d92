"use client";
import { useQuery } from "@tanstack/react-query";
import { apiGet } from "@/lib/api-client";
import { databaseKeys } from "@/lib/databases/query-keys";
import type { ApplicationDto } from "@/lib/databases/schema";
import type { Page } from "@/lib/paging";

/** Names of the applications that have a database, to choose limits from; null until they are known. */
export function useApplications(): string[] | null {
  const { data } = useQuery({
    queryKey: databaseKeys.applications,
    queryFn: ({ signal }) => apiGet<Page<ApplicationDto>>("applications", {}, signal),
  });
  return data ? data.items.map(({ name }) => name) : null;
}
