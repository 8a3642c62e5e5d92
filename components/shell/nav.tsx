"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { LiveMark } from "@/components/live/live-provider";
import { apiGet } from "@/lib/api-client";
import { plural } from "@/lib/format";
import { settingsKeys } from "@/lib/members/query-keys";
import type { Page } from "@/lib/paging";
import type { WorkerDto } from "@/lib/workers/schema";
import { AttentionCount } from "./attention-count";
import { Mark } from "./logo";
import classes from "./nav.module.css";
import { consolePages, isWithin, settingsPage } from "./pages";
import { useEnvironment, withEnvironment } from "./use-environment";

export function Nav({ onFollow = () => undefined }: { onFollow?: () => void }) {
  const path = usePathname();
  const environment = useEnvironment();
  const link = (page: (typeof consolePages)[number]) => (
    <Link
      key={page.href}
      href={page.byEnvironment ? withEnvironment(page.href, environment) : page.href}
      className={classes.link}
      aria-current={isWithin(path, page.href) ? "page" : undefined}
      onClick={onFollow}
    >
      {page.label}
      {page.href === "/" ? <AttentionCount /> : null}
    </Link>
  );
  return (
    <nav className={classes.nav} aria-label="Main">
      <Link href="/" className={classes.brand} onClick={onFollow}>
        <Mark />
        Holdfast
      </Link>
      {consolePages.map(link)}
      <div className={classes.foot}>
        {link(settingsPage)}
        <Workers />
        <span className={classes.live}>
          <LiveMark />
        </span>
      </div>
    </nav>
  );
}

function Workers() {
  const { data } = useQuery({
    queryKey: settingsKeys.workers,
    queryFn: ({ signal }) => apiGet<Page<WorkerDto>>("workers", {}, signal),
    refetchInterval: 60_000,
  });
  if (!data) return <span className={classes.workers}>&nbsp;</span>;
  const up = data.items.filter((worker) => worker.state === "up").length;
  return (
    <Link href="/settings/workers" className={classes.workers} data-none={up === 0 || undefined}>
      {up === 0 ? "No worker is running" : plural(up, "worker")}
    </Link>
  );
}
