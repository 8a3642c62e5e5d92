/** Keys of TanStack Query; the first part is the live event's topic. */
export const backupKeys = {
  all: ["backups"] as const,
  list: (filters: Record<string, string | undefined>) => ["backups", "list", filters] as const,
  days: (database: string, asked: Record<string, string>) => ["backups", "days", database, asked] as const,
  one: (id: string) => ["backups", "one", id] as const,
  tables: (id: string, filters: Record<string, string | undefined>) =>
    ["backups", "tables", id, filters] as const,
};
