"use client";
/** Keys of this install: recovery kit, recipients of new backups, rotation. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { PlainTable } from "@/components/ui/data-table";
import { ErrorPanel } from "@/components/ui/error-panel";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { RowsSkeleton } from "@/components/ui/skeletons";
import { Status } from "@/components/ui/status";
import { useAction } from "@/components/ui/use-action";
import { apiGet } from "@/lib/api-client";
import type { KeysDto } from "@/lib/keys/schema";
import { settingsKeys } from "@/lib/members/query-keys";
import classes from "./settings.module.css";

function finding(keys: KeysDto): TitlePart[] {
  if (!keys.encryption) return [{ text: "New backups are not encrypted.", tone: "warning" }];
  if (!keys.recoveryKit.confirmedAt)
    return [
      { text: "Backups open with this server's key alone: " },
      { text: "the recovery kit is not confirmed.", tone: "warning" },
    ];
  if (!keys.offHostCopy)
    return [
      { text: "The recovery kit is confirmed; " },
      { text: "no copy is off this host yet.", tone: "warning" },
    ];
  return [{ text: "Backups can be opened even if this server is gone." }];
}

export function KeysPage({ rotate }: { rotate: ServerAction<undefined, unknown> }) {
  const query = useQuery({
    queryKey: settingsKeys.keys,
    queryFn: ({ signal }) => apiGet<KeysDto>("keys", {}, signal),
  });
  const [asking, setAsking] = useState(false);
  const action = useAction(rotate);
  const keys = query.data;
  if (!keys) {
    if (!query.error) return <RowsSkeleton rows={6} />;
    return (
      <ErrorPanel error={query.error} onRetry={() => void query.refetch()} retrying={query.isFetching} />
    );
  }
  const { addedAt, confirmedAt } = keys.recoveryKit;
  return (
    <>
      <PageHeader
        title={finding(keys)}
        actions={
          <Button variant="default" onClick={() => setAsking(true)}>
            Rotate the keys…
          </Button>
        }
      />
      <Section title="Recovery kit">
        <Panel padded>
          <div className={classes.spread}>
            <Status
              tone={confirmedAt ? "ok" : "warning"}
              detail={
                confirmedAt ? (
                  <RelativeTime at={confirmedAt} />
                ) : addedAt ? (
                  "It was made, and nobody typed its ending back."
                ) : (
                  "Without it, losing this server's key folder means losing every backup."
                )
              }
            >
              {confirmedAt ? "confirmed" : addedAt ? "not confirmed" : "not made yet"}
            </Status>
            <Button component={Link} href="/setup/recovery-kit" variant={confirmedAt ? "default" : "filled"}>
              {addedAt ? "Make a new kit" : "Make the recovery kit"}
            </Button>
          </div>
        </Panel>
      </Section>
      <Section title="Recipients" note="age recipients; new backups are encrypted to the active ones">
        <Panel>
          <PlainTable
            label="Recipients"
            rows={keys.recipients}
            rowKey={(row) => row.recipient}
            columns={[
              {
                key: "recipient",
                header: "Recipient",
                main: true,
                cell: (row) => <code>{row.recipient}</code>,
              },
              {
                key: "kind",
                header: "Whose",
                cell: (row) => (row.kind === "server" ? "this server" : "recovery kit"),
              },
              {
                key: "active",
                header: "State",
                cell: (row) =>
                  row.active ? (
                    <Status tone="ok">active</Status>
                  ) : (
                    <Status tone="unknown">kept for older backups</Status>
                  ),
              },
              { key: "created", header: "Made", cell: (row) => <RelativeTime at={row.createdAt} still /> },
            ]}
          />
        </Panel>
      </Section>
      <Section title="Secret keys" note="they seal the credentials of your databases">
        <Panel>
          <PlainTable
            label="Secret keys"
            rows={keys.secretKeys}
            rowKey={(row) => row.id}
            columns={[
              { key: "id", header: "Key", main: true, cell: (row) => <code>{row.id}</code> },
              {
                key: "active",
                header: "State",
                cell: (row) =>
                  row.active ? <Status tone="ok">active</Status> : <Status tone="unknown">retired</Status>,
              },
              { key: "created", header: "Made", cell: (row) => <RelativeTime at={row.createdAt} still /> },
            ]}
          />
        </Panel>
      </Section>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title="Rotate the keys?"
        confirmLabel="Rotate them"
        pending={action.pending}
        failure={action.failure}
        onConfirm={async () => {
          if (await action.run(undefined)) setAsking(false);
          await query.refetch();
        }}
      >
        <p>
          A new secret key and a new age identity are made, and all credentials are sealed anew. Older keys
          stay, because older backups need them.
        </p>
        <p>With several machines, copy the key folder to the others before you restart them.</p>
      </ConfirmDialog>
    </>
  );
}
