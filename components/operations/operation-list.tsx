"use client";
/** The ledger: every operation, newest first, filtered in the URL. */
import { useActiveOperations } from "@/components/live/use-active-operations";
import { type Column, DataTable } from "@/components/ui/data-table";
import { DatabaseFilter } from "@/components/ui/database-filter";
import { EmptyState } from "@/components/ui/empty-state";
import { FilterBar, FilterSelect } from "@/components/ui/filter-bar";
import { PageHeader } from "@/components/ui/page-header";
import { progressText } from "@/components/ui/progress";
import { Elapsed, RelativeTime } from "@/components/ui/relative-time";
import { operationStates } from "@/components/ui/state-lists";
import { actorWords, operationWord } from "@/components/ui/state-words";
import { Status } from "@/components/ui/status";
import { useList } from "@/components/ui/use-list";
import { useUrlFilters } from "@/components/ui/use-url-filters";
import { plural } from "@/lib/format";
import { operationKeys } from "@/lib/operations/query-keys";
import type { OperationItem } from "@/lib/operations/schema";

const FILTERS = ["state", "kind", "database", "environment"] as const;
const OPERATION_KINDS = [
  { value: "backup.run", label: "Back up" },
  { value: "backup.verify", label: "Prove" },
  { value: "backup.copy", label: "Copy" },
  { value: "backup.restore", label: "Restore" },
  { value: "backup.delete", label: "Delete" },
  { value: "database.preflight", label: "Preflight" },
  { value: "database.test", label: "Connection test" },
];

export const operationColumns: Column<OperationItem>[] = [
  { key: "title", header: "Operation", main: true, width: "30%", cell: (row) => row.title },
  { key: "state", header: "State", cell: (row) => <OperationStatus operation={row} /> },
  { key: "actor", header: "Asked for by", cell: (row) => actorWords(row.actor), wideOnly: true },
  {
    key: "created",
    header: "Created",
    cell: (row) => <RelativeTime at={row.createdAt} still />,
    width: "120px",
  },
  {
    key: "took",
    header: "Took",
    align: "end",
    width: "110px",
    cell: (row) => (row.startedAt ? <Elapsed from={row.startedAt} to={row.finishedAt} /> : "–"),
  },
];

function OperationStatus({ operation }: { operation: OperationItem }) {
  const { tone, word } = operationWord(operation.state);
  const running = operation.state === "running" && operation.progress;
  const detail = running ? progressText(running) : operation.state === "succeeded" ? null : operation.reason;
  return (
    <Status tone={tone} detail={detail}>
      {word}
    </Status>
  );
}

/** From all that is active, whatever the list is filtered by. */
function finding(rows: OperationItem[] | undefined): string {
  if (!rows) return "Operations";
  const running = rows.filter((row) => row.state === "running" || row.state === "cancelling").length;
  const queued = rows.filter((row) => row.state === "queued").length;
  if (running + queued === 0) return "Nothing is running.";
  const words = [
    running > 0 ? `${plural(running, "operation")} running` : "",
    queued > 0 ? `${running > 0 ? queued : plural(queued, "operation")} queued` : "",
  ];
  return `${words.filter(Boolean).join(", ")}.`;
}

export function OperationList() {
  const [filters, set, clear] = useUrlFilters(FILTERS);
  const list = useList<OperationItem>({ path: "operations", key: operationKeys.list, filters });
  const active = useActiveOperations();
  return (
    <>
      <PageHeader
        title={finding(active.data?.items)}
        facts={["Everything that was asked of Holdfast, and how it ended"]}
      />
      <FilterBar>
        <DatabaseFilter value={filters.database} onChange={(database) => set({ database })} />
        <FilterSelect
          label="State"
          value={filters.state}
          onChange={(state) => set({ state })}
          options={[
            { value: "active", label: "active" },
            ...operationStates.map((state) => ({ value: state, label: operationWord(state).word })),
          ]}
        />
        <FilterSelect
          label="Kind"
          value={filters.kind}
          onChange={(kind) => set({ kind })}
          options={OPERATION_KINDS}
        />
      </FilterBar>
      <DataTable
        list={list}
        label="Operations"
        what="operations"
        columns={operationColumns}
        rowKey={(row) => row.id}
        href={(row) => `/operations/${row.id}`}
        onClearFilters={clear}
        empty={
          <EmptyState title="No operations yet">
            Back up a database, and each step of it is listed here with its log.
          </EmptyState>
        }
      />
    </>
  );
}
