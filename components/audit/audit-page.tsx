"use client";
/** Who did what, when, from where; filtered in the URL, exported as it is filtered, and checked on demand. */
import { Button } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { useNow } from "@/components/ui/clock";
import { type Column, DataTable } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/empty-state";
import { FilterBar, FilterSelect, SearchField } from "@/components/ui/filter-bar";
import { Hidden } from "@/components/ui/hidden";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { actorWords } from "@/components/ui/state-words";
import { useAction } from "@/components/ui/use-action";
import { useList } from "@/components/ui/use-list";
import { type Filters, useUrlFilters } from "@/components/ui/use-url-filters";
import { apiGet, apiUrl } from "@/lib/api-client";
import { auditKeys } from "@/lib/audit/query-keys";
import type { AuditItem, AuditVerification } from "@/lib/audit/schema";
import { formatCount } from "@/lib/format";
import type { Page } from "@/lib/paging";
import { AuditChange } from "./audit-change";
import classes from "./audit-change.module.css";
import { ChainReport } from "./chain-report";

const FILTERS = ["q", "action", "since", "actor", "object", "objectKind", "from", "to"] as const;
const DAY_MS = 86_400_000;
/** A period begins at a whole step, so that the list is not another one at every moment. */
const STEP_MS = 600_000;
const PERIODS = [
  { value: "1", label: "last 24 hours" },
  { value: "7", label: "last 7 days" },
  { value: "30", label: "last 30 days" },
  { value: "365", label: "last year" },
];

/** "backup (any)", "backup.finish", "backup.run" … from what the log holds. */
function actionOptions(actions: string[]): { value: string; label: string }[] {
  const options: { value: string; label: string }[] = [];
  let last = "";
  for (const action of actions) {
    const [object = action] = action.split(".", 1);
    if (object !== last) options.push({ value: `${object}.`, label: `${object} (any)` });
    options.push({ value: action, label: action });
    last = object;
  }
  return options;
}

function useActions(): string[] {
  const { data } = useQuery({
    queryKey: auditKeys.actions,
    queryFn: ({ signal }) => apiGet<Page<string>>("audit/actions", {}, signal),
  });
  return data?.items ?? [];
}

/** What is filtered by a link and not by a field, in words. */
function otherFilters({
  actor,
  object,
  objectKind,
  from,
  to,
}: Filters<(typeof FILTERS)[number]>): string | null {
  const parts = [
    actor ? `by ${actor}` : null,
    object || objectKind ? `of ${[objectKind, object].filter(Boolean).join(" ")}` : null,
    from ? `since ${from.slice(0, 16).replace("T", " ")} UTC` : null,
    to ? `until ${to.slice(0, 16).replace("T", " ")} UTC` : null,
  ];
  return parts.filter(Boolean).join(", ") || null;
}

function columns(): Column<AuditItem>[] {
  return [
    { key: "at", header: "When", width: "120px", cell: (row) => <RelativeTime at={row.at} /> },
    { key: "actor", header: "Who", cell: (row) => <OnlyBy actor={row.actor} />, width: "150px" },
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

/** Whose event it is; leads to all of theirs. */
function OnlyBy({ actor }: Pick<AuditItem, "actor">) {
  return (
    <Link className={classes.filter} href={`/audit?${new URLSearchParams({ actor: actor.name })}`}>
      <Hidden>Only events by </Hidden>
      {actorWords(actor)}
    </Link>
  );
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
  const [{ since, ...given }, set, clear] = useUrlFilters(FILTERS);
  const now = useNow();
  const start = Math.floor((now - Number(since) * DAY_MS) / STEP_MS) * STEP_MS;
  const filters = since && start > 0 ? { ...given, from: new Date(start).toISOString() } : given;
  const list = useList<AuditItem>({ path: "audit", key: auditKeys.list, filters });
  const options = actionOptions(useActions());
  const other = otherFilters(given);
  const check = useAction(verify);
  const [result, setResult] = useState<AuditVerification>();
  return (
    <>
      <PageHeader
        title={titleOf(result)}
        facts={["Each event is linked to the one before it; a changed, missing or cut event shows"]}
        actions={
          <>
            {mayExport
              ? (["csv", "jsonl"] as const).map((format) => (
                  <Button
                    key={format}
                    variant="default"
                    component="a"
                    href={apiUrl("audit/export", { ...filters, format })}
                    download={`audit.${format}`}
                  >
                    Export {format === "csv" ? "CSV" : "JSON Lines"}
                  </Button>
                ))
              : null}
            <Button loading={check.pending} onClick={async () => setResult(await check.run(undefined))}>
              Check the chain
            </Button>
          </>
        }
      />
      <ChainReport result={result} failure={check.failure} />
      <FilterBar>
        <SearchField label="Search who, what or where" value={given.q} onChange={(q) => set({ q })} />
        <FilterSelect
          label="Action"
          value={given.action}
          onChange={(action) => set({ action })}
          options={options}
        />
        <FilterSelect
          label="Time"
          value={since}
          onChange={(period) => set({ since: period, from: null, to: null })}
          options={PERIODS}
        />
        {other ? (
          <Button
            variant="subtle"
            rightSection={<IconX size={14} aria-hidden />}
            onClick={() => set({ actor: null, object: null, objectKind: null, from: null, to: null })}
          >
            <Hidden>Clear the filter: </Hidden>
            {other}
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
