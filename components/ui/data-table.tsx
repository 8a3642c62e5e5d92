"use client";
/**
 * A list of /api/v1 as a table, as cards on a phone. A row with `href` has a real link in its `main` column; a
 * click elsewhere on the row follows it, too. Old rows stay on a refetch. Knows loading, error, empty and
 * no-match states.
 */
import { Button, Skeleton } from "@mantine/core";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { type ReactNode, useEffect, useRef } from "react";
import classes from "./data-table.module.css";
import { EmptyState, NoMatches } from "./empty-state";
import { ErrorPanel } from "./error-panel";
import { Hidden } from "./hidden";
import { Panel } from "./section";
import type { List } from "./use-list";

export interface Column<T> {
  key: string;
  header: string;
  cell: (row: T) => ReactNode;
  /** Names the row: gets the link, and is the heading of its card. */
  main?: boolean;
  align?: "end";
  /** Short words that belong on one line. */
  nowrap?: boolean;
  /** CSS width on a wide screen. */
  width?: string;
  /** Read out, not shown: for columns of buttons. */
  hideHeader?: boolean;
  /** Left out on a phone. */
  wideOnly?: boolean;
}

interface Rows<T> {
  label: string;
  columns: Column<T>[];
  rowKey: (row: T) => string;
  href?: (row: T) => string | null;
}

export function DataTable<T>({
  list,
  what,
  empty,
  onClearFilters,
  ...rows
}: Rows<T> & {
  list: List<T>;
  /** Plural noun: "backups". */
  what: string;
  /** What to show when there is nothing at all. */
  empty: ReactNode;
  onClearFilters?: () => void;
}) {
  if (list.rows === undefined) {
    if (!list.error) return <TableSkeleton {...rows} />;
    return <ErrorPanel error={list.error} onRetry={list.retry} retrying={list.fetching} />;
  }
  if (list.rows.length === 0) {
    const nothing =
      list.filtered && onClearFilters ? <NoMatches what={what} onClear={onClearFilters} /> : empty;
    return <Panel>{nothing ?? <EmptyState title={`No ${what} yet`} />}</Panel>;
  }
  return (
    <>
      {list.error ? (
        <div className={classes.outdated}>
          <ErrorPanel title="These rows may be out of date" error={list.error} onRetry={list.retry} />
        </div>
      ) : null}
      <Panel>
        <div data-stale={list.stale || undefined} className={classes.region} aria-busy={list.stale}>
          <PlainTable {...rows} rows={list.rows} />
        </div>
      </Panel>
      {list.next || list.previous ? (
        <nav className={classes.pager} aria-label={`Pages of ${rows.label}`}>
          <Button variant="default" size="xs" disabled={!list.previous} onClick={list.previous ?? undefined}>
            Previous
          </Button>
          <Button variant="default" size="xs" disabled={!list.next} onClick={list.next ?? undefined}>
            Next
          </Button>
        </nav>
      ) : null}
    </>
  );
}

/** The same columns with placeholders, so that only the rows' own words are new when they come. */
function TableSkeleton<T>({ label, columns }: Rows<T>) {
  return (
    <Panel>
      <div aria-busy="true">
        <Hidden>Loading</Hidden>
        <PlainTable
          label={label}
          rows={PLACES}
          rowKey={(row) => row}
          columns={columns.map(({ key, cell: _cell, ...column }) => ({
            key,
            ...column,
            cell: () => <Skeleton height={12} my={5} width="70%" {...(column.align ? { ml: "auto" } : {})} />,
          }))}
        />
      </div>
    </Panel>
  );
}
const PLACES = Array.from({ length: 8 }, (_, row) => `row ${row}`);

/** The table alone, for rows that are already here. */
export function PlainTable<T>({ label, columns, rows, rowKey, href }: Rows<T> & { rows: T[] }) {
  const router = useRouter();
  const body = useRef<HTMLTableSectionElement>(null);

  // Widens the target of the mouse; the keyboard has the link inside the row.
  useEffect(() => {
    const element = body.current;
    const follow = (event: MouseEvent) => {
      if (event.defaultPrevented || event.button !== 0 || !(event.target instanceof Element)) return;
      if (event.target.closest("a, button, input, label, summary")) return;
      const target = event.target.closest("tr")?.dataset.href;
      if (!target || window.getSelection()?.toString()) return;
      if (event.metaKey || event.ctrlKey) window.open(target, "_blank", "noopener");
      else router.push(target);
    };
    element?.addEventListener("click", follow);
    return () => element?.removeEventListener("click", follow);
  }, [router]);

  return (
    <table className={classes.table} aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th
              key={column.key}
              scope="col"
              data-align={column.align}
              data-wide={column.wideOnly || undefined}
              style={column.width ? { width: column.width } : undefined}
            >
              {column.hideHeader ? <Hidden>{column.header}</Hidden> : column.header}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {rows.map((row) => {
          const target = href?.(row) ?? null;
          return (
            <tr key={rowKey(row)} data-href={target ?? undefined}>
              {columns.map((column) => (
                <td
                  key={column.key}
                  data-align={column.align}
                  data-nowrap={column.nowrap || undefined}
                  data-main={column.main || undefined}
                  data-wide={column.wideOnly || undefined}
                  data-label={column.main || column.hideHeader ? undefined : column.header}
                >
                  {column.main && target ? (
                    <Link href={target} className={classes.link} prefetch={false}>
                      {column.cell(row)}
                    </Link>
                  ) : (
                    column.cell(row)
                  )}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
