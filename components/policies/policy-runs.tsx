"use client";
/** The runs of a policy, newest first, also those that were missed; a run opens to its databases. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { type Column, DataTable, PlainTable } from "@/components/ui/data-table";
import { Dialog } from "@/components/ui/dialog";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorPanel } from "@/components/ui/error-panel";
import { Elapsed, Moment } from "@/components/ui/relative-time";
import { Section } from "@/components/ui/section";
import { RowsSkeleton } from "@/components/ui/skeletons";
import { verdictWord } from "@/components/ui/state-words";
import { Status } from "@/components/ui/status";
import { useList } from "@/components/ui/use-list";
import { apiGet } from "@/lib/api-client";
import { policyKeys } from "@/lib/policies/query-keys";
import type { PolicyRunDto, PolicyRunItem } from "@/lib/policies/schema";
import { runWord, triggerWords } from "./policy-words";

export function PolicyRuns({ name }: { name: string }) {
  const [opened, setOpened] = useState<string | null>(null);
  const path = `policies/${encodeURIComponent(name)}/runs`;
  const list = useList<PolicyRunItem>({
    path,
    key: (filters) => [...policyKeys.runs(name), filters],
    limit: 20,
  });
  const columns: Column<PolicyRunItem>[] = [
    { key: "due", header: "Due", main: true, width: "190px", cell: (row) => <Moment at={row.dueAt} /> },
    {
      key: "state",
      header: "State",
      cell: (row) => {
        const { tone, word } = runWord(row.state);
        return (
          <Status tone={tone} detail={row.reason}>
            {word}
          </Status>
        );
      },
    },
    { key: "by", header: "Started by", wideOnly: true, cell: triggerWords },
    {
      key: "done",
      header: "Databases",
      align: "end",
      width: "110px",
      cell: (row) => (row.databases === 0 ? "–" : `${row.done} of ${row.databases}`),
    },
    {
      key: "took",
      header: "Took",
      align: "end",
      width: "110px",
      cell: (row) => (row.startedAt ? <Elapsed from={row.startedAt} to={row.finishedAt} /> : "–"),
    },
    {
      key: "open",
      header: "Open",
      hideHeader: true,
      align: "end",
      width: "90px",
      cell: (row) =>
        row.databases === 0 ? null : (
          <Button
            variant="default"
            size="compact-sm"
            aria-label={`Open… the databases of the run of ${row.dueAt}`}
            onClick={() => setOpened(row.id)}
          >
            Open…
          </Button>
        ),
    },
  ];
  return (
    <Section title="Runs">
      <DataTable
        list={list}
        label="Runs"
        what="runs"
        columns={columns}
        rowKey={(row) => row.id}
        empty={<EmptyState title="It has not been due yet" />}
      />
      <Dialog
        opened={opened !== null}
        onClose={() => setOpened(null)}
        title="Databases of this run"
        size="lg"
      >
        {opened ? <RunItems policy={name} run={opened} /> : null}
      </Dialog>
    </Section>
  );
}

function RunItems({ policy, run }: { policy: string; run: string }) {
  const query = useQuery({
    queryKey: [...policyKeys.runs(policy), run],
    queryFn: ({ signal }) =>
      apiGet<PolicyRunDto>(`policies/${encodeURIComponent(policy)}/runs/${run}`, {}, signal),
  });
  if (!query.data) {
    if (!query.error) return <RowsSkeleton rows={3} />;
    return (
      <ErrorPanel error={query.error} onRetry={() => void query.refetch()} retrying={query.isFetching} />
    );
  }
  return (
    <PlainTable
      label="Databases of this run"
      rows={query.data.items}
      rowKey={(row) => row.database}
      columns={[
        { key: "database", header: "Database", main: true, cell: (row) => row.database },
        {
          key: "state",
          header: "State",
          cell: (row) => {
            const { tone, word } = runWord(row.state === "started" ? "running" : row.state);
            return (
              <Status tone={tone} detail={row.reason}>
                {word}
              </Status>
            );
          },
        },
        {
          key: "backup",
          header: "Backup",
          cell: (row) =>
            row.backup ? (
              <Link href={`/backups/${row.backup.id}`}>
                {row.verify ? verdictWord(row.backup.proof).word : "not to be proven"}
              </Link>
            ) : (
              "–"
            ),
        },
      ]}
    />
  );
}
