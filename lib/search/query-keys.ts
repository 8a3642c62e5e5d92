/** Keys of TanStack Query; the first part is the live event's topic. */
export const searchKeys = {
  find: (q: string) => ["search", q] as const,
};
