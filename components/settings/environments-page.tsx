"use client";
import { Button, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { useCan } from "@/components/shell/viewer";
import { failureToProblem, type ServerAction } from "@/components/ui/action-result";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { type Column, PlainTable } from "@/components/ui/data-table";
import { Dialog } from "@/components/ui/dialog";
import { ErrorPanel, ProblemPanel } from "@/components/ui/error-panel";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { PageHeader } from "@/components/ui/page-header";
import { Panel } from "@/components/ui/section";
import { RowsSkeleton } from "@/components/ui/skeletons";
import { useAction } from "@/components/ui/use-action";
/** The promotion ladder: order, names, and which rungs are protected. */
import { useSharedQuery } from "@/components/ui/use-shared-query";
import { apiGet } from "@/lib/api-client";
import type { EnvironmentDto } from "@/lib/environments/schema";
import { plural } from "@/lib/format";
import { settingsKeys } from "@/lib/members/query-keys";
import type { Page } from "@/lib/paging";
import classes from "./settings.module.css";

export interface EnvironmentActions {
  create: ServerAction<{ name: string; protected: boolean }, unknown>;
  update: ServerAction<{ environment: string; name: string; protected: boolean }, unknown>;
  remove: ServerAction<{ environment: string }, unknown>;
  order: ServerAction<{ order: string[] }, unknown>;
}

function finding(items: EnvironmentDto[]): string {
  const [first] = items;
  const last = items.at(-1);
  if (!first || !last) return "There is no environment yet.";
  if (first === last) return `Changes have one environment, ${first.name}.`;
  return `Changes climb ${plural(items.length, "environment")}, from ${first.name} to ${last.name}.`;
}

export function EnvironmentsPage({ actions }: { actions: EnvironmentActions }) {
  const query = useSharedQuery({
    queryKey: settingsKeys.environments,
    queryFn: ({ signal }) => apiGet<Page<EnvironmentDto>>("environments", {}, signal),
  });
  const [editing, setEditing] = useState<EnvironmentDto | "new" | null>(null);
  const [removing, setRemoving] = useState<EnvironmentDto | null>(null);
  const order = useAction(actions.order);
  const remove = useAction(actions.remove);
  const mayWrite = useCan("environment.write");
  if (!query.data) {
    if (!query.error) return <RowsSkeleton rows={4} />;
    return (
      <ErrorPanel error={query.error} onRetry={() => void query.refetch()} retrying={query.isFetching} />
    );
  }
  const { items } = query.data;
  const move = async (index: number, by: number) => {
    const names = items.map(({ name }) => name);
    const [moved] = names.splice(index, 1);
    if (moved) names.splice(index + by, 0, moved);
    await order.run({ order: names });
    await query.refetch();
  };
  const columns: Column<EnvironmentDto>[] = [
    { key: "name", header: "Environment", main: true, cell: (row) => row.name },
    {
      key: "protected",
      header: "Protected",
      cell: (row) => (row.protected ? "asks for more before anything is done to it" : "no"),
    },
    { key: "databases", header: "Databases", align: "end", width: "110px", cell: (row) => row.databases },
    {
      key: "act",
      header: "Actions",
      hideHeader: true,
      align: "end",
      cell: (row) => {
        const index = items.indexOf(row);
        if (!mayWrite) return null;
        return (
          <div className={classes.buttons}>
            <Button
              size="compact-sm"
              variant="default"
              disabled={index === 0}
              aria-label={`Move ${row.name} up`}
              onClick={() => void move(index, -1)}
            >
              Up
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              disabled={index === items.length - 1}
              aria-label={`Move ${row.name} down`}
              onClick={() => void move(index, 1)}
            >
              Down
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
              aria-label={`Delete ${row.name}`}
              disabled={row.databases > 0}
              onClick={() => setRemoving(row)}
            >
              Delete…
            </Button>
          </div>
        );
      },
    },
  ];
  return (
    <>
      <PageHeader
        title={finding(items)}
        facts={["An environment with databases cannot be deleted"]}
        actions={mayWrite ? <Button onClick={() => setEditing("new")}>New environment…</Button> : null}
      />
      {order.failure ? (
        <ProblemPanel title="The order was not saved" problem={failureToProblem(order.failure)} />
      ) : null}
      <Panel>
        <PlainTable label="Environments" columns={columns} rows={items} rowKey={(row) => row.id} />
      </Panel>
      <Dialog
        opened={editing !== null}
        onClose={() => setEditing(null)}
        title={editing === "new" || editing === null ? "New environment" : `Edit ${editing.name}`}
      >
        {editing ? (
          <EnvironmentForm
            environment={editing === "new" ? null : editing}
            actions={actions}
            onDone={() => {
              setEditing(null);
              void query.refetch();
            }}
          />
        ) : null}
      </Dialog>
      <ConfirmDialog
        opened={removing !== null}
        onClose={() => setRemoving(null)}
        title={`Delete the environment ${removing?.name ?? ""}?`}
        confirmLabel="Delete it"
        danger
        pending={remove.pending}
        failure={remove.failure}
        onConfirm={async () => {
          if (removing && (await remove.run({ environment: removing.name }))) setRemoving(null);
          await query.refetch();
        }}
      >
        <p>It has no databases. Past events keep its name.</p>
      </ConfirmDialog>
    </>
  );
}

function EnvironmentForm({
  environment,
  actions,
  onDone,
}: {
  environment: EnvironmentDto | null;
  actions: EnvironmentActions;
  onDone: () => void;
}) {
  const save: ServerAction<{ name: string; protected: boolean }, unknown> = (input) =>
    environment ? actions.update({ environment: environment.name, ...input }) : actions.create(input);
  const form = useActionForm({
    initial: { name: environment?.name ?? "", protected: environment?.protected ?? false },
    action: save,
    onDone,
  });
  return (
    <ActionForm form={form} submitLabel="Save">
      <TextInput label="Name" data-autofocus {...form.field("name")} />
      <Switch
        label="Protected"
        description="Restoring over its databases and applying changes ask for an admin and a confirmation."
        {...form.field("protected", { type: "checkbox" })}
      />
    </ActionForm>
  );
}
