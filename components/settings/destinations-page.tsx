"use client";
/** Where copies of backups live: used and free space, and whether the place answers. */
import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useCan } from "@/components/shell/viewer";
import { failureToProblem, type ServerAction } from "@/components/ui/action-result";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { type Column, PlainTable } from "@/components/ui/data-table";
import { Dialog } from "@/components/ui/dialog";
import { ErrorPanel, ProblemPanel } from "@/components/ui/error-panel";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel } from "@/components/ui/section";
import { RowsSkeleton } from "@/components/ui/skeletons";
import { Status } from "@/components/ui/status";
import { useAction } from "@/components/ui/use-action";
import { apiGet } from "@/lib/api-client";
import type { DestinationDto } from "@/lib/destinations/schema";
import { formatBytes, plural } from "@/lib/format";
import { settingsKeys } from "@/lib/members/query-keys";
import type { Page } from "@/lib/paging";
import classes from "./settings.module.css";

export interface DestinationActions {
  create: ServerAction<{ name: string; kind: "local"; config: { folder: string } }, unknown>;
  test: ServerAction<{ destination: string }, unknown>;
  archive: ServerAction<{ destination: string }, unknown>;
}

function finding(items: DestinationDto[]): TitlePart[] {
  const active = items.filter((item) => item.archivedAt === null);
  const bad = active.filter((item) => item.checkError !== null);
  const [first] = bad;
  if (first)
    return [{ text: `${first.name} does not answer`, tone: "problem" }, { text: `: ${first.checkError}` }];
  return [{ text: `New backups go to ${plural(active.length, "destination")}.` }];
}

export function DestinationsPage({ actions }: { actions: DestinationActions }) {
  const query = useQuery({
    queryKey: settingsKeys.destinations,
    queryFn: ({ signal }) => apiGet<Page<DestinationDto>>("destinations", {}, signal),
  });
  const [adding, setAdding] = useState(false);
  const [archiving, setArchiving] = useState<DestinationDto | null>(null);
  const [testing, setTesting] = useState<string | null>(null);
  const test = useAction(actions.test);
  const archive = useAction(actions.archive);
  const mayWrite = useCan("destination.write");
  if (!query.data) {
    if (!query.error) return <RowsSkeleton rows={3} />;
    return (
      <ErrorPanel error={query.error} onRetry={() => void query.refetch()} retrying={query.isFetching} />
    );
  }
  const columns: Column<DestinationDto>[] = [
    { key: "name", header: "Destination", main: true, cell: (row) => row.name },
    { key: "folder", header: "Folder", cell: (row) => <code>{String(row.config.folder ?? "")}</code> },
    {
      key: "state",
      header: "State",
      cell: (row) => {
        if (row.archivedAt) return <Status tone="unknown">archived, gets no new copies</Status>;
        if (row.checkError)
          return (
            <Status tone="problem" detail={row.checkError}>
              does not answer
            </Status>
          );
        if (!row.checkedAt) return <Status tone="unknown">not tested yet</Status>;
        return (
          <Status tone="ok" detail={<RelativeTime at={row.checkedAt} still />}>
            answers
          </Status>
        );
      },
    },
    {
      key: "used",
      header: "Used",
      align: "end",
      cell: (row) => `${formatBytes(row.usedBytes)}, ${plural(row.copies, "copy", "copies")}`,
    },
    {
      key: "free",
      header: "Free",
      align: "end",
      cell: (row) => (row.freeBytes === null ? "not known" : formatBytes(row.freeBytes)),
    },
    {
      key: "act",
      header: "Actions",
      hideHeader: true,
      align: "end",
      cell: (row) =>
        mayWrite && row.archivedAt === null ? (
          <div className={classes.buttons}>
            <Button
              size="compact-sm"
              variant="default"
              aria-label={`Test ${row.name}`}
              loading={testing === row.id}
              onClick={async () => {
                setTesting(row.id);
                await test.run({ destination: row.name });
                setTesting(null);
                await query.refetch();
              }}
            >
              Test
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              aria-label={`Archive ${row.name}`}
              onClick={() => setArchiving(row)}
            >
              Archive…
            </Button>
          </div>
        ) : null,
    },
  ];
  return (
    <>
      <PageHeader
        title={finding(query.data.items)}
        facts={["Every backup is written to all of them in one pass"]}
        actions={mayWrite ? <Button onClick={() => setAdding(true)}>New destination…</Button> : null}
      />
      {test.failure ? (
        <ProblemPanel title="It was not tested" problem={failureToProblem(test.failure)} />
      ) : null}
      <Panel>
        <PlainTable label="Destinations" columns={columns} rows={query.data.items} rowKey={(row) => row.id} />
      </Panel>
      <ConfirmDialog
        opened={archiving !== null}
        onClose={() => {
          archive.clear();
          setArchiving(null);
        }}
        title={`Archive the destination ${archiving?.name ?? ""}?`}
        confirmLabel="Archive it"
        pending={archive.pending}
        failure={archive.failure}
        onConfirm={async () => {
          if (archiving && (await archive.run({ destination: archiving.name }))) setArchiving(null);
          await query.refetch();
        }}
      >
        <p>
          New backups leave it out. Its {archiving ? plural(archiving.copies, "copy", "copies") : "copies"}{" "}
          stay where they are, and can be proven and restored.
        </p>
      </ConfirmDialog>
      <Dialog opened={adding} onClose={() => setAdding(false)} title="New destination">
        {adding ? (
          <DestinationForm
            create={actions.create}
            onDone={() => {
              setAdding(false);
              void query.refetch();
            }}
          />
        ) : null}
      </Dialog>
    </>
  );
}

function DestinationForm({ create, onDone }: { create: DestinationActions["create"]; onDone: () => void }) {
  const form = useActionForm({
    initial: { name: "", config: { folder: "" } },
    action: create,
    toInput: (values) => ({ ...values, kind: "local" as const }),
    onDone,
  });
  return (
    <ActionForm form={form} submitLabel="Test and add">
      <TextInput
        label="Name"
        description="Lower-case letters, digits and hyphens"
        data-autofocus
        {...form.field("name")}
      />
      <TextInput
        label="Folder"
        description="Absolute path on the worker's machine. A small object is written, read back and deleted."
        {...form.field("config.folder")}
      />
    </ActionForm>
  );
}
