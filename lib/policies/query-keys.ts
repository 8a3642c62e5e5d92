/** Keys of TanStack Query; the first part is the live event's topic. */
export const policyKeys = {
  all: ["policies"] as const,
  list: ["policies", "list"] as const,
  uncovered: ["policies", "uncovered"] as const,
  one: (id: string) => ["policies", "one", id] as const,
  runs: (id: string) => ["policies", "runs", id] as const,
  simulation: (id: string) => ["policies", "simulation", id] as const,
};
