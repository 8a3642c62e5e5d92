/** Keys of TanStack Query; the first part is the live event's topic. */
export const overviewKeys = {
  all: ["overview"] as const,
  one: (environment: string | undefined) => ["overview", environment ?? "all"] as const,
};
