"use client";
/** All backups, newest first, with the proof of each; filtered in the URL. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Column, DataTable } from "@/components/ui/data-table";
import { useDatabaseNames } from "@/components/ui/database-names";
import { EmptyState } from "@/components/ui/empty-state";
import { FilterBar, FilterSelect } from "@/components/ui/filter-bar";
import { lazyDialog } from "@/components/ui/lazy-dialog";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { backupStates } from "@/components/ui/state-lists";
import { backupWord, copyWord, verdictWord } from "@/components/ui/state-words";
import { Status } from "@/components/ui/status";
import { useList } from "@/components/ui/use-list";
import { useUrlFilters } from "@/components/ui/use-url-filters";
import { apiGet } from "@/lib/api-client";
import { backupKeys } from "@/lib/backups/query-keys";
import type { BackupItem } from "@/lib/backups/schema";
import { formatBytes, formatDuration, plural } from "@/lib/format";
import type { Page } from "@/lib/paging";
import type { StartBackup } from "./backup-dialog";

const BackupDialog = lazyDialog(() => import("./backup-dialog"));

const FILTERS = ["database", "environment", "state", "verdict", "from", "to"] as const;

export function ProofStatus({ backup }: { backup: BackupItem }) {
  if (backup.state === "running") return <Status tone="running">being made</Status>;
  if (backup.state !== "complete" && backup.state !== "partial") {
    const { tone, word } = backupWord(backup.state);
    return (
      <Status tone={tone} detail={backup.reason}>
        {word}
      </Status>
    );
  }
  const { tone, word } = verdictWord(backup.proof);
  const seconds = backup.proof?.restoreSeconds;
  const proven = backup.proof?.verdict === "proven";
  const detail = proven ? (seconds ? `restores in ${formatDuration(seconds)}` : null) : backup.proof?.reason;
  return (
    <Status tone={tone} detail={detail}>
      {word}
    </Status>
  );
}

function copies(backup: BackupItem) {
  const bad = backup.copies.filter((copy) => copy.state !== "stored" && copy.state !== "writing");
  const [first] = bad;
  if (first)
    return (
      <Status
        tone={copyWord(first.state).tone}
      >{`${first.destination}: ${copyWord(first.state).word}`}</Status>
    );
  return backup.copies.map((copy) => copy.destination).join(", ") || "–";
}

export const backupColumns: Column<BackupItem>[] = [
  { key: "database", header: "Database", main: true, cell: (row) => row.database },
  {
    key: "created",
    header: "Taken",
    width: "120px",
    cell: (row) => <RelativeTime at={row.createdAt} still />,
  },
  { key: "proof", header: "Proof", cell: (row) => <ProofStatus backup={row} /> },
  {
    key: "size",
    header: "Stored",
    align: "end",
    width: "100px",
    cell: (row) => (row.sizeBytes === null ? "–" : formatBytes(row.sizeBytes)),
  },
  { key: "copies", header: "Copies", wideOnly: true, cell: copies },
];

/** What the failed proofs mean for the page's title; `none`: there is no backup at all. */
function useFinding(none: boolean): TitlePart[] {
  const asked = { verdict: "failed", limit: "50" };
  const { data } = useQuery({
    queryKey: backupKeys.list(asked),
    queryFn: ({ signal }) => apiGet<Page<BackupItem>>("backups", asked, signal),
  });
  if (!data) return [{ text: "Backups" }];
  if (none) return [{ text: "Nothing has been backed up yet." }];
  const count = data.items.length;
  if (count === 0) return [{ text: "No backup has failed its proof." }];
  const more = data.nextCursor ? "More than 50 backups" : plural(count, "backup");
  return [{ text: `${more} did not restore to what was dumped.`, tone: "problem" }];
}

export function BackupList({ mayRun, start }: { mayRun: boolean; start: StartBackup }) {
  const [filters, set, clear] = useUrlFilters(FILTERS);
  const list = useList<BackupItem>({ path: "backups", key: backupKeys.list, filters });
  const databases = useDatabaseNames();
  const [asking, setAsking] = useState(false);
  const button = mayRun ? <Button onClick={() => setAsking(true)}>Back up…</Button> : null;
  return (
    <>
      <PageHeader
        title={useFinding(list.rows?.length === 0 && !list.filtered)}
        facts={["A backup counts when it has been restored and found equal, table by table"]}
        actions={button}
      />
      <BackupDialog opened={asking} onClose={() => setAsking(false)} start={start} />
      <FilterBar>
        <FilterSelect
          label="Database"
          value={filters.database}
          onChange={(database) => set({ database })}
          options={databases}
        />
        <FilterSelect
          label="State"
          value={filters.state}
          onChange={(state) => set({ state })}
          options={backupStates.map((state) => ({ value: state, label: backupWord(state).word }))}
        />
        <FilterSelect
          label="Proof"
          value={filters.verdict}
          onChange={(verdict) => set({ verdict })}
          options={[
            { value: "proven", label: "proven" },
            { value: "failed", label: "failed to prove" },
            { value: "unverifiable", label: "could not be proven" },
            { value: "none", label: "not proven yet" },
          ]}
        />
      </FilterBar>
      <DataTable
        list={list}
        label="Backups"
        what="backups"
        columns={backupColumns}
        rowKey={(row) => row.id}
        href={(row) => `/backups/${row.id}`}
        onClearFilters={clear}
        empty={
          <EmptyState title="No backups yet" action={button}>
            Each backup is restored into a throwaway server and compared with its source before it counts.
          </EmptyState>
        }
      />
    </>
  );
}
