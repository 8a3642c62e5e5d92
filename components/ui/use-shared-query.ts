"use client";
import { type UseQueryOptions, useQuery } from "@tanstack/react-query";
import { useHydrated } from "./clock";

/**
 * A query that the frame around the pages asks, too. React hydrates a page after its frame, so the answer may be
 * there before: it counts as not there until the page has the shape that the server sent.
 */
export function useSharedQuery<T>(options: UseQueryOptions<T>) {
  const hydrated = useHydrated();
  const { data, error, refetch, isFetching } = useQuery(options);
  return { data: hydrated ? data : undefined, error: hydrated ? error : null, refetch, isFetching };
}
