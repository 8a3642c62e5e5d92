/** Keys of TanStack Query for everything under Settings; the first part is the live event's topic. */
export const settingsKeys = {
  me: ["settings", "me"] as const,
  sessions: ["settings", "sessions"] as const,
  members: ["settings", "members"] as const,
  invites: ["settings", "invites"] as const,
  tokens: ["settings", "tokens"] as const,
  environments: ["settings", "environments"] as const,
  destinations: ["settings", "destinations"] as const,
  keys: ["settings", "keys"] as const,
  workers: ["workers"] as const,
};
