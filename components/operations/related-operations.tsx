"use client";
/** Operations of the same root: what this one started, and what started it. */
import { type Column, PlainTable } from "@/components/ui/data-table";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import type { OperationItem } from "@/lib/operations/schema";
import { OperationStatus } from "./operation-list";

const columns: Column<OperationItem>[] = [
  { key: "title", header: "Operation", main: true, cell: (row) => row.title },
  { key: "state", header: "State", cell: (row) => <OperationStatus operation={row} /> },
  {
    key: "created",
    header: "Created",
    cell: (row) => <RelativeTime at={row.createdAt} still />,
    width: "120px",
  },
];

export function RelatedOperations({ items }: { items: OperationItem[] }) {
  return (
    <Section title="Belongs together">
      <Panel>
        <PlainTable
          label="Related operations"
          columns={columns}
          rows={items}
          rowKey={(row) => row.id}
          href={(row) => `/operations/${row.id}`}
        />
      </Panel>
    </Section>
  );
}
