"use client";
import { keepPreviousData } from "@tanstack/react-query";
import { useEnvironment } from "@/components/shell/use-environment";
import { ErrorPanel } from "@/components/ui/error-panel";
import { PageHeader } from "@/components/ui/page-header";
import { Section } from "@/components/ui/section";
import { BlockSkeleton, HeaderSkeleton, RowsSkeleton } from "@/components/ui/skeletons";
import { UnreadPage } from "@/components/ui/unread-page";
/** What needs someone, then every promise with its evidence, then what is running. */
import { useSharedQuery } from "@/components/ui/use-shared-query";
import { apiGet } from "@/lib/api-client";
import { overviewKeys } from "@/lib/overview/query-keys";
import type { Overview } from "@/lib/overview/schema";
import { AttentionList } from "./attention-list";
import { DayStrip } from "./day-strip";
import { FirstSteps } from "./first-steps";
import classes from "./overview.module.css";
import { PromiseMatrix } from "./promise-matrix";
import { RunningList } from "./running-list";

function OverviewSkeleton() {
  return (
    <>
      <HeaderSkeleton />
      <RowsSkeleton rows={1} />
      <Section title="Promises">
        <RowsSkeleton rows={5} />
      </Section>
      <div className={classes.pair}>
        <Section title="Running">
          <RowsSkeleton rows={1} />
        </Section>
        <Section title="Last 24 hours">
          <BlockSkeleton height={96} />
        </Section>
      </div>
    </>
  );
}

function asksForKit({ attention }: Overview): boolean {
  return attention.some((item) => item.id === "recovery-kit");
}

export function OverviewPage() {
  const environment = useEnvironment();
  const { data, error, refetch, isFetching } = useSharedQuery({
    queryKey: overviewKeys.one(environment),
    queryFn: ({ signal }) => apiGet<Overview>("overview", { environment }, signal),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
  if (!data) {
    if (!error) return <OverviewSkeleton />;
    return <UnreadPage what="overview" name="The Overview" query={{ error, isFetching, refetch }} />;
  }
  return (
    <>
      <PageHeader title={data.finding} facts={data.facts} />
      {error ? (
        <div className={classes.outdated}>
          <ErrorPanel title="This may be out of date" error={error} onRetry={() => void refetch()} />
        </div>
      ) : null}
      <AttentionList items={data.attention} />
      {environment ? null : <FirstSteps databases={data.databases} kitAsked={asksForKit(data)} />}
      {data.databases.length > 0 ? <PromiseMatrix databases={data.databases} /> : null}
      {data.databases.length > 0 || data.running.length > 0 ? (
        <div className={classes.pair}>
          <RunningList fromOverview={data.running} filtered={environment !== undefined} />
          <DayStrip items={data.strip} />
        </div>
      ) : null}
    </>
  );
}
