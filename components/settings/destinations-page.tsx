"use client";
/** Where copies of backups live: used and free space, and whether the place answers. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useCan } from "@/components/shell/viewer";
import { failureToProblem, type ServerAction } from "@/components/ui/action-result";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { type Column, PlainTable } from "@/components/ui/data-table";
import { Dialog } from "@/components/ui/dialog";
import { ErrorPanel, ProblemPanel } from "@/components/ui/error-panel";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { Panel } from "@/components/ui/section";
import { RowsSkeleton } from "@/components/ui/skeletons";
import { Status } from "@/components/ui/status";
import { useAction } from "@/components/ui/use-action";
import { apiGet } from "@/lib/api-client";
import type { DestinationDto, DestinationKind, DestinationTest } from "@/lib/destinations/schema";
import { formatBytes, plural } from "@/lib/format";
import { settingsKeys } from "@/lib/members/query-keys";
import type { Page } from "@/lib/paging";
import { DestinationForm, type DestinationFormActions } from "./destination-form";
import { DestinationState } from "./destination-state";
import classes from "./settings.module.css";

export interface DestinationActions extends DestinationFormActions {
  test: ServerAction<{ destination: string }, DestinationTest>;
  archive: ServerAction<{ destination: string }, unknown>;
}

const KINDS: Record<DestinationKind, string> = { local: "folder", s3: "S3 bucket", sftp: "SFTP server" };

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
  /** The one in the form: null is a new one, undefined none. */
  const [editing, setEditing] = useState<DestinationDto | null | undefined>(undefined);
  const [archiving, setArchiving] = useState<DestinationDto | null>(null);
  const [testing, setTesting] = useState<string | null>(null);
  const [tested, setTested] = useState<{ name: string; result: DestinationTest } | null>(null);
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
    {
      key: "place",
      header: "Place",
      cell: (row) => (
        <div>
          <code className={classes.place}>{row.place}</code>
          <span className={classes.limits}>
            {KINDS[row.kind]}, {row.offHost ? "off this host" : "on this host"}
          </span>
        </div>
      ),
    },
    { key: "state", header: "State", cell: (row) => <DestinationState row={row} /> },
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
                setTested(null);
                const result = await test.run({ destination: row.id });
                if (result) setTested({ name: row.name, result });
                setTesting(null);
                await query.refetch();
              }}
            >
              Test
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              aria-label={`Edit ${row.name}`}
              onClick={() => setEditing(row)}
            >
              Edit…
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
        actions={mayWrite ? <Button onClick={() => setEditing(null)}>New destination…</Button> : null}
      />
      {test.failure ? (
        <ProblemPanel title="It was not tested" problem={failureToProblem(test.failure)} />
      ) : null}
      <div role="status">
        {tested ? (
          <p className={classes.note}>
            <Status tone={tested.result.ok ? "ok" : "problem"} detail={tested.result.message}>
              {tested.name} {tested.result.ok ? "answers" : "failed its test"}
            </Status>
          </p>
        ) : null}
      </div>
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
      <Dialog
        opened={editing !== undefined}
        onClose={() => setEditing(undefined)}
        title={editing ? `Edit the destination ${editing.name}` : "New destination"}
        size="lg"
        closeOnClickOutside={false}
      >
        {editing === undefined ? null : (
          <DestinationForm
            row={editing}
            actions={actions}
            onDone={() => {
              setEditing(undefined);
              void query.refetch();
            }}
          />
        )}
      </Dialog>
    </>
  );
}
