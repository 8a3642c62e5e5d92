"use client";
/** The comparison table by table, paged, with the ones that differ first. */
import { SegmentedControl } from "@mantine/core";
import { type Column, DataTable } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/empty-state";
import { SearchField } from "@/components/ui/filter-bar";
import { Status } from "@/components/ui/status";
import { useList } from "@/components/ui/use-list";
import { useUrlFilters } from "@/components/ui/use-url-filters";
import { backupKeys } from "@/lib/backups/query-keys";
import type { BackupDto } from "@/lib/backups/schema";
import { formatCount } from "@/lib/format";
import type { ComparedTable } from "@/lib/proof/schema";
import classes from "./proof-tables.module.css";

/** Up to here all tables are seen at once, and filters would only stand in the way. */
const FEW = 20;

function verdict(row: ComparedTable) {
  if (row.equal === null) return <Status tone="unknown">{row.note ?? "not compared"}</Status>;
  if (row.equal)
    return (
      <Status tone="ok" detail={row.note}>
        {row.compared === "count" ? "rows equal" : "equal"}
      </Status>
    );
  return <Status tone="problem">{row.note ?? "differs"}</Status>;
}

const count = (value: number | null) => (value === null ? "–" : formatCount(value));
const columns: Column<ComparedTable>[] = [
  {
    key: "name",
    header: "Table",
    main: true,
    cell: (row) => <code className={classes.name}>{row.name}</code>,
  },
  {
    key: "rows",
    header: "Rows at dump",
    align: "end",
    width: "130px",
    wideOnly: true,
    cell: (row) => count(row.rows),
  },
  {
    key: "restored",
    header: "Rows restored",
    align: "end",
    width: "130px",
    cell: (row) => count(row.restoredRows),
  },
  { key: "compared", header: "Compared by", width: "150px", wideOnly: true, cell: (row) => row.compared },
  { key: "verdict", header: "Verdict", cell: verdict },
];

export function ProofTables({ backup, proof }: { backup: string; proof: NonNullable<BackupDto["proof"]> }) {
  const [filters, set, clear] = useUrlFilters(["result", "q"] as const);
  const list = useList<ComparedTable>({
    path: `backups/${backup}/tables`,
    key: (asked) => backupKeys.tables(backup, asked),
    filters,
    limit: 100,
  });
  const { equal, different, notCompared } = proof.tableCounts;
  const total = equal + different + notCompared;
  return (
    <div className={classes.tables}>
      {total > FEW || filters.q || filters.result ? (
        <div className={classes.filters}>
          <SearchField label="Search tables" value={filters.q} onChange={(q) => set({ q })} />
          <SegmentedControl
            size="xs"
            aria-label="Which tables"
            value={filters.result ?? ""}
            onChange={(result) => set({ result })}
            data={[
              { value: "", label: `All ${formatCount(total)}` },
              { value: "different", label: `Different ${formatCount(different)}` },
              { value: "equal", label: `Equal ${formatCount(equal)}` },
              { value: "notCompared", label: `Not compared ${formatCount(notCompared)}` },
            ]}
          />
        </div>
      ) : null}
      <DataTable
        list={list}
        label="Tables of this backup"
        what="tables"
        columns={columns}
        rowKey={(row) => row.name}
        onClearFilters={clear}
        empty={
          <EmptyState title="The database had no tables">
            There was nothing to compare but its schema.
          </EmptyState>
        }
      />
    </div>
  );
}
