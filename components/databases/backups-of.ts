import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { apiGet } from "@/lib/api-client";
import { backupKeys } from "@/lib/backups/query-keys";
import type { BackupItem } from "@/lib/backups/schema";
import type { Page } from "@/lib/paging";

const LIMIT = "60";

/** The newest backups of a database: for its actions, its table and its trends, one query. */
export function backupsOfQuery(database: string) {
  const asked = { database, limit: LIMIT };
  return queryOptions({
    queryKey: backupKeys.list(asked),
    queryFn: ({ signal }) => apiGet<Page<BackupItem>>("backups", asked, signal),
    placeholderData: keepPreviousData,
  });
}
