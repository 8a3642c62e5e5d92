"use client";
/**
 * Filters in the URL: `const [filters, set, clear] = useUrlFilters(["q", "state"])`. Empty values leave the URL;
 * a changed filter drops the cursor of its list. No server round trip: what reads them is a query of the browser.
 */
import { useSearchParams } from "next/navigation";
import { useCallback, useMemo } from "react";

/** Search parameter of a page's only or main list. */
export const CURSOR = "cursor";

export type Filters<K extends string> = Partial<Record<K, string>>;

/** Writes search parameters of the current page; `null` removes. */
export function writeUrl(changes: Record<string, string | null | undefined>, push: boolean): void {
  const search = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) search.set(name, value);
    else search.delete(name);
  }
  const query = search.toString();
  const url = `${window.location.pathname}${query ? `?${query}` : ""}`;
  if (push) window.history.pushState(null, "", url);
  else window.history.replaceState(null, "", url);
}

export function useUrlFilters<K extends string>(names: readonly K[], cursorName: string = CURSOR) {
  const search = useSearchParams();
  const key = names.map((name) => search.get(name) ?? "").join("\u0000");
  const joined = names.join("\u0000");
  const filters = useMemo(() => {
    const values = key.split("\u0000");
    const found: Filters<K> = {};
    for (const [index, name] of joined.split("\u0000").entries()) {
      const value = values[index];
      if (value) found[name as K] = value;
    }
    return found;
  }, [key, joined]);

  const set = useCallback(
    (changes: { [N in K]?: string | null | undefined }) => {
      writeUrl({ ...changes, [cursorName]: null }, false);
    },
    [cursorName],
  );
  const clear = useCallback(() => {
    const none = Object.fromEntries(joined.split("\u0000").map((name) => [name, null]));
    writeUrl({ ...none, [cursorName]: null }, false);
  }, [joined, cursorName]);
  return [filters, set, clear] as const;
}
