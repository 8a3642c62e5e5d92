/** Keys of TanStack Query; the first part is the live event's topic. */
export const operationKeys = {
  all: ["operations"] as const,
  list: (filters: Record<string, string | undefined>) => ["operations", "list", filters] as const,
  one: (id: string) => ["operations", "one", id] as const,
  log: (id: string) => ["operations", "log", id] as const,
};
