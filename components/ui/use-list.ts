"use client";
/**
 * One page of a list of /api/v1, its cursor in the URL. Old rows stay while the next ones are on their way.
 *
 *   const list = useList<BackupItem>({ path: "backups", key: backupKeys.list, filters });
 */
import { keepPreviousData, type QueryKey, useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { useCallback, useRef } from "react";
import { apiGet } from "@/lib/api-client";
import type { Page } from "@/lib/paging";
import { writeUrl } from "./use-url-filters";

type ListFilters = Record<string, string | undefined>;

export interface List<T> {
  rows: T[] | undefined;
  error: unknown;
  /** The shown rows belong to an earlier filter or page. */
  stale: boolean;
  fetching: boolean;
  filtered: boolean;
  retry: () => void;
  next: (() => void) | null;
  previous: (() => void) | null;
}

export function useList<T>(options: {
  path: string;
  key: (filters: ListFilters) => QueryKey;
  filters?: ListFilters;
  limit?: number;
  /** Filters that the page itself sets and that don't count as the viewer's. */
  fixed?: ListFilters;
  refetchInterval?: number | false;
}): List<T> {
  const { path, key, filters = {}, fixed = {}, limit = 50 } = options;
  const cursor = useSearchParams().get("cursor") ?? undefined;
  const trail = useRef<(string | undefined)[]>([]);
  const asked = { ...fixed, ...filters, cursor, limit: String(limit) };
  const query = useQuery({
    queryKey: key(asked),
    queryFn: ({ signal }) => apiGet<Page<T>>(path, asked, signal),
    placeholderData: keepPreviousData,
    ...(options.refetchInterval ? { refetchInterval: options.refetchInterval } : {}),
  });
  const nextCursor = query.data?.nextCursor ?? null;

  const next = useCallback(() => {
    trail.current.push(cursor);
    writeUrl({ cursor: nextCursor }, true);
  }, [cursor, nextCursor]);
  // A reload forgets the way; back is then the first page.
  const previous = useCallback(() => writeUrl({ cursor: trail.current.pop() ?? null }, true), []);

  return {
    rows: query.data?.items,
    error: query.error,
    stale: query.isPlaceholderData,
    fetching: query.isFetching,
    filtered: Object.values(filters).some(Boolean),
    retry: () => void query.refetch(),
    next: nextCursor ? next : null,
    previous: cursor ? previous : null,
  };
}
