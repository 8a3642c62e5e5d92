"use client";
/** Who did what, when, from where; filtered in the URL, exported as it is filtered, and checked on demand. */
import { Button } from "@mantine/core";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { type Column, DataTable } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/empty-state";
import { FilterBar, FilterSelect, SearchField } from "@/components/ui/filter-bar";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { actorWords } from "@/components/ui/state-words";
import { useAction } from "@/components/ui/use-action";
import { useList } from "@/components/ui/use-list";
import { useUrlFilters } from "@/components/ui/use-url-filters";
import { apiUrl } from "@/lib/api-client";
import { auditKeys } from "@/lib/audit/query-keys";
import type { AuditItem, AuditVerification } from "@/lib/audit/schema";
import { formatCount } from "@/lib/format";
import { AuditChange } from "./audit-change";
import { ChainReport } from "./chain-report";

const FILTERS = ["actor", "action", "objectKind", "object", "from", "to"] as const;
const OBJECT_KINDS = [
  "database",
  "environment",
  "backup",
  "operation",
  "destination",
  "member",
  "session",
  "invite",
  "token",
  "key",
  "audit",
].map((kind) => ({ value: kind, label: kind }));
const DAY_MS = 86_400_000;
const PERIODS = [
  { value: "1", label: "last 24 hours" },
  { value: "7", label: "last 7 days" },
  { value: "30", label: "last 30 days" },
];

function columns(): Column<AuditItem>[] {
  return [
    { key: "at", header: "When", width: "120px", cell: (row) => <RelativeTime at={row.at} /> },
    { key: "actor", header: "Who", cell: (row) => actorWords(row.actor), width: "150px" },
    { key: "what", header: "What", main: true, cell: (row) => <AuditChange event={row} /> },
    { key: "address", header: "From", cell: (row) => row.address ?? "–", width: "130px", wideOnly: true },
    {
      key: "seq",
      header: "Link",
      align: "end",
      width: "70px",
      wideOnly: true,
      cell: (row) => row.seq ?? "waits",
    },
  ];
}

function titleOf(result: AuditVerification | undefined): TitlePart[] {
  if (!result) return [{ text: "Every change, with who made it." }];
  if (result.intact) return [{ text: `All ${formatCount(result.checked)} events are as they were written.` }];
  return [{ text: "The audit log has been tampered with.", tone: "problem" }];
}

export function AuditPage({
  mayExport,
  verify,
}: {
  mayExport: boolean;
  verify: ServerAction<undefined, AuditVerification>;
}) {
  const [filters, set, clear] = useUrlFilters(FILTERS);
  const list = useList<AuditItem>({ path: "audit", key: auditKeys.list, filters });
  const check = useAction(verify);
  const [result, setResult] = useState<AuditVerification>();
  return (
    <>
      <PageHeader
        title={titleOf(result)}
        facts={["Each event is linked to the one before it; a changed, missing or cut event shows"]}
        actions={
          mayExport ? (
            <>
              {(["csv", "jsonl"] as const).map((format) => (
                <Button
                  key={format}
                  variant="default"
                  component="a"
                  href={apiUrl("audit/export", { ...filters, format })}
                  download={`audit.${format}`}
                >
                  Export {format === "csv" ? "CSV" : "JSON Lines"}
                </Button>
              ))}
              <Button loading={check.pending} onClick={async () => setResult(await check.run(undefined))}>
                Check the chain
              </Button>
            </>
          ) : null
        }
      />
      <ChainReport result={result} failure={check.failure} />
      <FilterBar>
        <SearchField label="Actor" value={filters.actor} onChange={(actor) => set({ actor })} />
        <SearchField label="Action" value={filters.action} onChange={(action) => set({ action })} />
        <FilterSelect
          label="Object"
          value={filters.objectKind}
          onChange={(objectKind) => set({ objectKind })}
          options={OBJECT_KINDS}
        />
        <FilterSelect
          label="Time"
          value={undefined}
          onChange={(days) =>
            set({ from: days ? new Date(Date.now() - Number(days) * DAY_MS).toISOString() : null })
          }
          options={PERIODS}
        />
        {filters.from || filters.object ? (
          <Button variant="subtle" onClick={() => set({ from: null, to: null, object: null })}>
            {filters.object
              ? `Only ${filters.object}`
              : `Since ${filters.from?.slice(0, 16).replace("T", " ")} UTC`}
            : clear
          </Button>
        ) : null}
      </FilterBar>
      <DataTable
        list={list}
        label="Audit events"
        what="events"
        columns={columns()}
        rowKey={(row) => row.id}
        onClearFilters={clear}
        empty={
          <EmptyState title="No events yet">Everything that changes something is listed here.</EmptyState>
        }
      />
    </>
  );
}
