"use client";
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import Link from "next/link";
import type { z } from "zod";
import { ErrorPanel } from "@/components/ui/error-panel";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel } from "@/components/ui/section";
import { RowsSkeleton } from "@/components/ui/skeletons";
import { ToneIcon } from "@/components/ui/status";
import { apiGet } from "@/lib/api-client";
import { databaseKeys } from "@/lib/databases/query-keys";
import type { timelineItemSchema } from "@/lib/databases/schema";
import type { Page } from "@/lib/paging";
import classes from "./timeline.module.css";

type Item = z.infer<typeof timelineItemSchema>;
const PAGE = 8;

/** Everything that happened to a database, newest first. */
export function Timeline({ name }: { name: string }) {
  const query = useInfiniteQuery({
    queryKey: databaseKeys.timeline(name),
    queryFn: ({ pageParam, signal }) =>
      apiGet<Page<Item>>(
        `databases/${encodeURIComponent(name)}/timeline`,
        { cursor: pageParam, limit: PAGE },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });
  if (!query.data) {
    if (query.error) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />;
    return <RowsSkeleton rows={4} />;
  }
  const items = query.data.pages.flatMap((page) => page.items);
  return (
    <Panel>
      {items.length === 0 ? <p className={classes.nothing}>Nothing has happened yet.</p> : null}
      <ol className={classes.timeline}>
        {items.map((item) => (
          <li key={`${item.at}${item.kind}${item.title}`}>
            <ToneIcon tone={item.state} size={16} />
            <div className={classes.words}>
              <p className={classes.title}>
                {item.href ? <Link href={item.href}>{item.title}</Link> : item.title}
              </p>
              {item.detail ? <p className={classes.detail}>{item.detail}</p> : null}
              <p className={classes.detail}>
                <RelativeTime at={item.at} />
                {item.actor ? ` by ${item.actor}` : ""}
              </p>
            </div>
          </li>
        ))}
      </ol>
      {query.hasNextPage ? (
        <div className={classes.more}>
          <Button variant="subtle" size="compact-sm" onClick={() => void query.fetchNextPage()}>
            Show earlier
          </Button>
        </div>
      ) : null}
    </Panel>
  );
}
