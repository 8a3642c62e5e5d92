"use client";
import { useQuery } from "@tanstack/react-query";
import { apiGet } from "@/lib/api-client";
import { plural } from "@/lib/format";
import { overviewKeys } from "@/lib/overview/query-keys";
import type { Overview } from "@/lib/overview/schema";
import classes from "./nav.module.css";

/** How many problems the Overview lists, beside its link on every page; nothing when there is none. */
export function AttentionCount() {
  const { data } = useQuery({
    queryKey: overviewKeys.one(undefined),
    queryFn: ({ signal }) => apiGet<Overview>("overview", {}, signal),
    staleTime: 30_000,
    refetchInterval: 60_000,
  });
  const count = data?.attention.filter((item) => item.severity === "problem").length ?? 0;
  if (count === 0) return null;
  return (
    <span className={classes.count} role="img" aria-label={plural(count, "problem")}>
      {count}
    </span>
  );
}
