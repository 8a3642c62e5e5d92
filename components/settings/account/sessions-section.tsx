"use client";
/** Where one is signed in; each session can be ended, or all the others at once. */
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import type { ServerAction } from "@/components/ui/action-result";
import { failureToProblem } from "@/components/ui/action-result";
import { type Column, DataTable } from "@/components/ui/data-table";
import { ProblemPanel } from "@/components/ui/error-panel";
import { RelativeTime } from "@/components/ui/relative-time";
import { Section } from "@/components/ui/section";
import { useAction } from "@/components/ui/use-action";
import { useList } from "@/components/ui/use-list";
import { settingsKeys } from "@/lib/members/query-keys";
import type { SessionDto } from "@/lib/members/schema";
import { browserName } from "../browser-name";

export interface SessionActions {
  revokeSession: ServerAction<{ session: string }, unknown>;
  revokeOthers: ServerAction<undefined, unknown>;
}

export function SessionsSection({ actions }: { actions: SessionActions }) {
  const client = useQueryClient();
  const list = useList<SessionDto>({ path: "sessions", key: (asked) => [...settingsKeys.sessions, asked] });
  const revoke = useAction(actions.revokeSession);
  const revokeOthers = useAction(actions.revokeOthers);
  const refresh = () => client.invalidateQueries({ queryKey: settingsKeys.sessions });
  const failure = revoke.failure ?? revokeOthers.failure;
  const columns: Column<SessionDto>[] = [
    {
      key: "browser",
      header: "Browser",
      main: true,
      cell: (row) => `${browserName(row.userAgent)}${row.current ? " (this one)" : ""}`,
    },
    { key: "address", header: "Address", cell: (row) => row.address ?? "not known" },
    { key: "seen", header: "Last seen", cell: (row) => <RelativeTime at={row.lastSeenAt} still /> },
    {
      key: "created",
      header: "Signed in",
      cell: (row) => <RelativeTime at={row.createdAt} still />,
      wideOnly: true,
    },
    {
      key: "act",
      header: "Actions",
      hideHeader: true,
      align: "end",
      cell: (row) =>
        row.current ? null : (
          <Button
            aria-label={`End the session of ${browserName(row.userAgent)} at ${row.address ?? "an address not known"}`}
            size="compact-sm"
            variant="default"
            onClick={async () => {
              await revoke.run({ session: row.id });
              await refresh();
            }}
          >
            End
          </Button>
        ),
    },
  ];
  return (
    <Section
      title="Sessions"
      note="ended ones stop working at once"
      actions={
        (list.rows?.length ?? 0) < 2 ? null : (
          <Button
            size="xs"
            variant="default"
            loading={revokeOthers.pending}
            onClick={async () => {
              await revokeOthers.run(undefined);
              await refresh();
            }}
          >
            End all others
          </Button>
        )
      }
    >
      {failure ? <ProblemPanel title="It was not ended" problem={failureToProblem(failure)} /> : null}
      <div>
        <DataTable
          list={list}
          label="Your sessions"
          what="sessions"
          columns={columns}
          rowKey={(row) => row.id}
          empty={null}
        />
      </div>
    </Section>
  );
}
