"use client";
/**
 * One page of a list of /api/v1, its cursor in the URL. Old rows stay while the next ones are on their way. On a
 * page with several lists each but one gets a `cursorName` of its own, which its useUrlFilters takes, too.
 *
 *   const list = useList<BackupItem>({ path: "backups", key: backupKeys.list, filters });
 *   const invites = useList<InviteDto>({ path: "invites", key, cursorName: "invites-cursor" });
 */
import { keepPreviousData, type QueryKey, useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { useCallback, useRef } from "react";
import { apiGet } from "@/lib/api-client";
import type { Page } from "@/lib/paging";
import { CURSOR, writeUrl } from "./use-url-filters";

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
  /** Search parameter that holds this list's cursor. */
  cursorName?: string;
}): List<T> {
  const { path, key, filters = {}, fixed = {}, limit = 50, cursorName = CURSOR } = options;
  const cursor = useSearchParams().get(cursorName) ?? undefined;
  const way = useRef<(string | undefined)[]>([undefined]);
  const asked = { ...fixed, ...filters, cursor, limit: String(limit) };
  const query = useQuery({
    queryKey: key(asked),
    queryFn: ({ signal }) => apiGet<Page<T>>(path, asked, signal),
    placeholderData: keepPreviousData,
    ...(options.refetchInterval ? { refetchInterval: options.refetchInterval } : {}),
  });
  const nextCursor = query.data?.nextCursor ?? null;

  // The cursors on the way to this page, itself included; the browser's own Back may have gone some of it.
  const wayHere = useCallback(() => {
    const at = way.current.indexOf(cursor);
    return at < 0 ? [undefined, cursor] : way.current.slice(0, at + 1);
  }, [cursor]);
  const next = useCallback(() => {
    way.current = [...wayHere(), nextCursor ?? undefined];
    writeUrl({ [cursorName]: nextCursor }, true);
  }, [wayHere, cursorName, nextCursor]);
  // A reload forgets the way; back is then the first page.
  const previous = useCallback(
    () => writeUrl({ [cursorName]: wayHere().at(-2) }, true),
    [wayHere, cursorName],
  );

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
