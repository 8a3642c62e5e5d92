/** Keys of TanStack Query; the first part is the live event's topic. */
export const databaseKeys = {
  all: ["databases"] as const,
  applications: ["databases", "applications"] as const,
  list: (filters: Record<string, string | undefined>) => ["databases", "list", filters] as const,
  one: (name: string) => ["databases", "one", name] as const,
  timeline: (name: string) => ["databases", "timeline", name] as const,
};
