"use client";
/** Where a member is signed in; each session can be ended. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { failureToProblem, type ServerAction } from "@/components/ui/action-result";
import { PlainTable } from "@/components/ui/data-table";
import { ErrorPanel, ProblemPanel } from "@/components/ui/error-panel";
import { RelativeTime } from "@/components/ui/relative-time";
import { useAction } from "@/components/ui/use-action";
import { apiGet } from "@/lib/api-client";
import { settingsKeys } from "@/lib/members/query-keys";
import type { MemberDto, SessionDto } from "@/lib/members/schema";
import type { Page } from "@/lib/paging";
import { browserName } from "../browser-name";
import classes from "../settings.module.css";

export function MemberSessions({
  member,
  end,
}: {
  member: MemberDto;
  end: ServerAction<{ member: string; session: string }, unknown>;
}) {
  const query = useQuery({
    queryKey: [...settingsKeys.sessions, member.id],
    queryFn: ({ signal }) => apiGet<Page<SessionDto>>(`members/${member.id}/sessions`, {}, signal),
  });
  const action = useAction(end);
  if (query.error) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />;
  const sessions = query.data?.items ?? [];
  if (sessions.length === 0) return null;
  return (
    <section className={classes.dialogPart}>
      <h3>Sessions</h3>
      {action.failure ? <ProblemPanel title="Not ended" problem={failureToProblem(action.failure)} /> : null}
      <PlainTable
        label={`Sessions of ${member.name}`}
        rows={sessions}
        rowKey={(row) => row.id}
        columns={[
          { key: "browser", header: "Browser", main: true, cell: (row) => browserName(row.userAgent) },
          { key: "address", header: "Address", cell: (row) => row.address ?? "not known" },
          { key: "seen", header: "Last seen", cell: (row) => <RelativeTime at={row.lastSeenAt} still /> },
          {
            key: "act",
            header: "Actions",
            hideHeader: true,
            align: "end",
            cell: (row) =>
              row.current ? (
                "this one"
              ) : (
                <Button
                  aria-label={`End the session of ${browserName(row.userAgent)} at ${row.address ?? "an address not known"}`}
                  size="compact-sm"
                  variant="default"
                  onClick={async () => {
                    await action.run({ member: member.id, session: row.id });
                    await query.refetch();
                  }}
                >
                  End
                </Button>
              ),
          },
        ]}
      />
    </section>
  );
}
