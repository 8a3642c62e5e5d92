"use client";
/** All backups, newest first, with the proof of each; filtered in the URL. */
import { Box, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { useZone } from "@/components/ui/clock";
import { DataTable } from "@/components/ui/data-table";
import { DatabaseFilter } from "@/components/ui/database-filter";
import { EmptyState } from "@/components/ui/empty-state";
import { FilterBar, FilterDay, FilterSelect } from "@/components/ui/filter-bar";
import { lazyDialog } from "@/components/ui/lazy-dialog";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { backupStates } from "@/components/ui/state-lists";
import { backupWord } from "@/components/ui/state-words";
import { useList } from "@/components/ui/use-list";
import { useUrlFilters } from "@/components/ui/use-url-filters";
import { apiGet } from "@/lib/api-client";
import { backupKeys } from "@/lib/backups/query-keys";
import type { BackupItem } from "@/lib/backups/schema";
import { formatDay, plural } from "@/lib/format";
import type { Page } from "@/lib/paging";
import { backupColumns } from "./backup-columns";
import type { StartBackup } from "./backup-dialog";
import { BackupCalendar } from "./calendar/backup-calendar";
import { rangeOfDay } from "./calendar/calendar-days";

const BackupDialog = lazyDialog(() => import("./backup-dialog"));

const FILTERS = ["database", "environment", "state", "verdict", "policy", "removed", "day"] as const;

/** What the failed proofs mean for the page's title, of all or of one database; `none`: there is no backup at all. */
function useFinding(database: string | undefined, none: boolean): TitlePart[] {
  const asked = { verdict: "failed", limit: "50", database };
  const { data } = useQuery({
    queryKey: backupKeys.list(asked),
    queryFn: ({ signal }) => apiGet<Page<BackupItem>>("backups", asked, signal),
  });
  const whose = database ? ` of ${database}` : "";
  if (!data) return [{ text: `Backups${whose}` }];
  if (none) return [{ text: "Nothing has been backed up yet." }];
  const count = data.items.length;
  if (count === 0) return [{ text: `No backup${whose} has failed its proof.` }];
  const more = data.nextCursor ? "More than 50 backups" : plural(count, "backup");
  return [{ text: `${more}${whose} did not restore to what was dumped.`, tone: "problem" }];
}

export function BackupList({ mayRun, start }: { mayRun: boolean; start: StartBackup }) {
  const [filters, set, clear] = useUrlFilters(FILTERS);
  const { day, ...others } = filters;
  const range = rangeOfDay(day);
  const list = useList<BackupItem>({
    path: "backups",
    key: backupKeys.list,
    filters: { ...others, ...range },
  });
  const zone = useZone();
  const [asking, setAsking] = useState(false);
  const button = mayRun ? <Button onClick={() => setAsking(true)}>Back up…</Button> : null;
  return (
    <>
      <PageHeader
        title={useFinding(filters.database, list.rows?.length === 0 && !list.filtered)}
        facts={[
          range && day
            ? `Taken on ${formatDay(day)}, ${zone}`
            : "A backup counts when it has been restored and found equal, table by table",
          filters.policy ? (
            <Link key="policy" href={`/policies/${encodeURIComponent(filters.policy)}`}>
              Made by {filters.policy}
            </Link>
          ) : null,
        ]}
        actions={button}
      />
      <BackupDialog opened={asking} onClose={() => setAsking(false)} start={start} />
      <FilterBar>
        <DatabaseFilter value={filters.database} onChange={(database) => set({ database })} />
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
        <FilterSelect
          label="Deleted"
          value={filters.removed}
          onChange={(removed) => set({ removed })}
          options={[
            { value: "yes", label: "Deleted ones" },
            { value: "all", label: "With deleted ones" },
          ]}
        />
        <FilterDay label="Day" value={day} onChange={(wanted) => set({ day: wanted })} />
      </FilterBar>
      {filters.database ? (
        <Box mb={24}>
          <BackupCalendar name={filters.database} />
        </Box>
      ) : null}
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
