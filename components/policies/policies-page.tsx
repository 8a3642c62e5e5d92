"use client";
/** All backup plans: when each is due, how it last ran, and which databases no plan covers. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useCan } from "@/components/shell/viewer";
import { type Column, DataTable, PlainTable } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { Status } from "@/components/ui/status";
import { useList } from "@/components/ui/use-list";
import { apiGet } from "@/lib/api-client";
import { plural } from "@/lib/format";
import type { Page } from "@/lib/paging";
import { policyKeys } from "@/lib/policies/query-keys";
import type { PolicyDto, Uncovered } from "@/lib/policies/schema";
import { runWord, scheduleWords } from "./policy-words";

/** Databases that are put into a new policy by one click. */
const MOST_AT_ONCE = 100;

const columns: Column<PolicyDto>[] = [
  { key: "name", header: "Policy", main: true, width: "18%", cell: (row) => row.name },
  {
    key: "when",
    header: "When",
    cell: (row) => `${scheduleWords(row.schedule)}, ${row.zone}`,
  },
  {
    key: "next",
    header: "Next run",
    nowrap: true,
    cell: (row) => {
      if (row.pausedAt) return <Status tone="warning">paused</Status>;
      const [next] = row.nextRuns;
      return next ? <RelativeTime at={next} still /> : "–";
    },
  },
  { key: "last", header: "Last run", width: "24%", cell: (row) => <LastRun run={row.lastRun} /> },
  { key: "covers", header: "Databases", align: "end", cell: (row) => row.covers.length },
  { key: "to", header: "Destinations", wideOnly: true, cell: (row) => row.destinations.join(", ") },
];

function LastRun({ run }: { run: PolicyDto["lastRun"] }) {
  if (!run) return "none yet";
  const { tone, word } = runWord(run.state);
  return (
    <Status tone={tone} detail={<RelativeTime at={run.dueAt} still />}>
      {word}
    </Status>
  );
}

export function PoliciesPage() {
  const mayWrite = useCan("policy.write");
  const list = useList<PolicyDto>({ path: "policies", key: (filters) => [...policyKeys.list, filters] });
  const { data: uncovered } = useQuery({
    queryKey: policyKeys.uncovered,
    queryFn: ({ signal }) => apiGet<Page<Uncovered>>("uncovered-databases", {}, signal),
  });
  const add = mayWrite ? (
    <Button component={Link} href="/policies/new">
      New policy
    </Button>
  ) : null;
  return (
    <>
      <PageHeader
        title={titleOf(list.rows, uncovered?.items)}
        facts={[
          "A policy says what is backed up when, where to, how long it is kept, and which of it is proven",
        ]}
        actions={add}
      />
      <DataTable
        list={list}
        label="Policies"
        what="policies"
        columns={columns}
        rowKey={(row) => row.id}
        href={(row) => `/policies/${row.name}`}
        empty={
          <EmptyState title="No policy yet" action={add}>
            Until there is one, a database is backed up when somebody asks for it.
          </EmptyState>
        }
      />
      {uncovered && uncovered.items.length > 0 ? (
        <UncoveredDatabases items={uncovered.items} mayWrite={mayWrite} />
      ) : null}
    </>
  );
}

function UncoveredDatabases({ items, mayWrite }: { items: Uncovered[]; mayWrite: boolean }) {
  const names = items.slice(0, MOST_AT_ONCE).map(({ name }) => name);
  return (
    <Section
      title="Not covered"
      note="nothing backs these up by itself"
      actions={
        mayWrite ? (
          <Link href={`/policies/new?databases=${encodeURIComponent(names.join(","))}`}>
            New policy for {items.length === 1 ? "it" : "them"}
          </Link>
        ) : null
      }
    >
      <Panel>
        <PlainTable
          label="Databases without a policy"
          rows={items}
          rowKey={(row) => row.id}
          href={(row) => `/databases/${row.name}`}
          columns={[
            { key: "name", header: "Database", main: true, cell: (row) => row.name },
            { key: "environment", header: "Environment", cell: (row) => row.environment },
          ]}
        />
      </Panel>
    </Section>
  );
}

function titleOf(policies: PolicyDto[] | undefined, uncovered: Uncovered[] | undefined): TitlePart[] {
  if (!policies || !uncovered) return [{ text: "Policies" }];
  if (uncovered.length > 0) {
    const what =
      uncovered.length === 1 ? `${uncovered[0]?.name} is` : `${plural(uncovered.length, "database")} are`;
    return [{ text: `${what} covered by no policy.`, tone: "warning" }];
  }
  const bad = policies.filter(({ lastRun }) => lastRun?.state === "failed" || lastRun?.state === "missed");
  const [first] = bad;
  if (first) {
    const text =
      bad.length === 1
        ? `The last run of ${first.name}`
        : `The last runs of ${plural(bad.length, "policy", "policies")}`;
    return [{ text: `${text} ` }, { text: "did not go well.", tone: "warning" }];
  }
  if (policies.length === 0) return [{ text: "There is no policy yet." }];
  return [{ text: "Every database is covered by a policy." }];
}
