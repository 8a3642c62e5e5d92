"use client";
/** Operations of the same root: what this one started, and what started it. */
import { PlainTable } from "@/components/ui/data-table";
import { Panel, Section } from "@/components/ui/section";
import type { OperationItem } from "@/lib/operations/schema";
import { operationColumns } from "./operation-list";

export function RelatedOperations({ items }: { items: OperationItem[] }) {
  return (
    <Section title="Belongs together">
      <Panel>
        <PlainTable
          label="Related operations"
          columns={operationColumns}
          rows={items}
          rowKey={(row) => row.id}
          href={(row) => `/operations/${row.id}`}
        />
      </Panel>
    </Section>
  );
}
