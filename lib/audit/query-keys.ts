/** Keys of TanStack Query; the first part is the live event's topic. */
export const auditKeys = {
  list: (filters: Record<string, string | undefined>) => ["audit", "list", filters] as const,
  actions: ["audit", "actions"] as const,
  verification: ["audit", "verification"] as const,
};
