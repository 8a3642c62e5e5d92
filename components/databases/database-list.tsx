"use client";
import { Button, Group } from "@mantine/core";
import Link from "next/link";
import { useEnvironment } from "@/components/shell/use-environment";
import { useCan } from "@/components/shell/viewer";
import { type Column, DataTable } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/empty-state";
import { FilterBar, FilterSelect, SearchField } from "@/components/ui/filter-bar";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { Status } from "@/components/ui/status";
import { useList } from "@/components/ui/use-list";
import { useUrlFilters } from "@/components/ui/use-url-filters";
import { databaseKeys } from "@/lib/databases/query-keys";
import type { DatabaseItem } from "@/lib/databases/schema";
import { formatBytes, plural } from "@/lib/format";
import { engineLabel } from "./engine-label";

const FILTERS = ["q", "engine", "recoverable", "application", "tag", "archived"] as const;

const columns: Column<DatabaseItem>[] = [
  { key: "name", header: "Database", main: true, width: "24%", cell: (row) => row.name },
  {
    key: "recoverable",
    header: "Recoverable",
    width: "26%",
    cell: ({ recoverable }) => (
      <Status tone={recoverable.state} detail={recoverable.detail}>
        {recoverable.text}
      </Status>
    ),
  },
  { key: "environment", header: "Environment", nowrap: true, cell: (row) => row.environment },
  {
    key: "engine",
    header: "Engine",
    nowrap: true,
    cell: (row) => engineLabel(row.engine, row.serverVersion),
  },
  {
    key: "size",
    header: "Size",
    align: "end",
    cell: (row) => (row.sizeBytes === null ? "not known" : formatBytes(row.sizeBytes)),
  },
  {
    key: "backup",
    header: "Last backup",
    nowrap: true,
    cell: (row) => (row.lastBackupAt ? <RelativeTime at={row.lastBackupAt} still /> : "never"),
  },
  { key: "owner", header: "Owner", wideOnly: true, cell: (row) => row.owner ?? "" },
];

export function DatabaseList() {
  const [filters, set, clear] = useUrlFilters(FILTERS);
  const environment = useEnvironment();
  const mayRegister = useCan("database.write");
  const list = useList<DatabaseItem>({
    path: "databases",
    key: databaseKeys.list,
    filters,
    fixed: { environment },
  });
  const register = mayRegister ? (
    <Button component={Link} href="/databases/new">
      Register a database
    </Button>
  ) : undefined;
  return (
    <>
      <PageHeader
        title={titleOf(list.rows, list.next !== null, environment, list.filtered)}
        actions={register}
      />
      <FilterBar>
        <SearchField label="Search databases" value={filters.q} onChange={(q) => set({ q })} />
        <FilterSelect
          label="Recoverable"
          value={filters.recoverable}
          onChange={(recoverable) => set({ recoverable })}
          options={[
            { value: "problem", label: "Has a problem" },
            { value: "warning", label: "Has a warning" },
            { value: "ok", label: "Good" },
            { value: "unknown", label: "Not known" },
          ]}
        />
        <FilterSelect
          label="Engine"
          value={filters.engine}
          onChange={(engine) => set({ engine })}
          options={[
            { value: "postgres", label: "PostgreSQL" },
            { value: "mariadb", label: "MariaDB" },
            { value: "mysql", label: "MySQL" },
            { value: "sqlite", label: "SQLite" },
          ]}
        />
        <FilterSelect
          label="Archived"
          value={filters.archived}
          onChange={(archived) => set({ archived })}
          options={[{ value: "yes", label: "Archived ones" }]}
        />
      </FilterBar>
      <DataTable
        label="Databases"
        what="databases"
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        href={(row) => `/databases/${row.name}`}
        onClearFilters={clear}
        empty={
          <EmptyState title="No database is looked after yet" action={<Group gap="xs">{register}</Group>}>
            Register one, and Holdfast backs it up and proves each backup by restoring it.
          </EmptyState>
        }
      />
    </>
  );
}

/** The page's finding, as far as the shown rows tell it. */
function titleOf(
  rows: DatabaseItem[] | undefined,
  more: boolean,
  environment: string | undefined,
  filtered: boolean,
): string | TitlePart[] {
  const where = environment ? ` in ${environment}` : "";
  if (!rows || more || filtered || rows.length === 0) return `Databases${where}`;
  const bad = rows.filter((row) => row.recoverable.state === "problem").length;
  if (bad === 0) return `${plural(rows.length, "database")}${where}, none with a problem.`;
  return [
    { text: `${plural(rows.length, "database")}${where}, ` },
    { text: `${bad} with a problem`, tone: "problem" },
    { text: "." },
  ];
}
