"use client";
/** The API tokens that a member owns, those that don't work, too; each can be revoked. */
import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { failureToProblem, type ServerAction } from "@/components/ui/action-result";
import { PlainTable } from "@/components/ui/data-table";
import { ErrorPanel, ProblemPanel } from "@/components/ui/error-panel";
import { useAction } from "@/components/ui/use-action";
import { apiGet } from "@/lib/api-client";
import { settingsKeys } from "@/lib/members/query-keys";
import type { MemberDto } from "@/lib/members/schema";
import type { Page } from "@/lib/paging";
import type { TokenDto } from "@/lib/tokens/schema";
import { RoleLimits } from "../role-limits";
import classes from "../settings.module.css";
import { TokenState } from "../token-state";

/** Their newest tokens; more than these are on the page of all. */
const SHOWN = 50;

export function useMemberTokens(member: string) {
  const asked = { owner: member, limit: SHOWN };
  return useQuery({
    queryKey: [...settingsKeys.tokens, asked],
    queryFn: ({ signal }) => apiGet<Page<TokenDto>>("tokens", asked, signal),
  });
}

export function MemberTokens({
  member,
  revoke,
}: {
  member: MemberDto;
  revoke: ServerAction<{ token: string }, unknown>;
}) {
  const client = useQueryClient();
  const query = useMemberTokens(member.id);
  const action = useAction(revoke);
  if (query.error) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />;
  const tokens = query.data?.items ?? [];
  if (tokens.length === 0) return null;
  return (
    <section className={classes.dialogPart}>
      <h3>API tokens</h3>
      {action.failure ? (
        <ProblemPanel title="Not revoked" problem={failureToProblem(action.failure)} />
      ) : null}
      <PlainTable
        label={`API tokens of ${member.name}`}
        rows={tokens}
        rowKey={(row) => row.id}
        columns={[
          { key: "name", header: "Name", main: true, cell: (row) => row.name },
          { key: "role", header: "Role", cell: (row) => <RoleLimits {...row} /> },
          { key: "state", header: "State", cell: (row) => <TokenState token={row} /> },
          {
            key: "act",
            header: "Actions",
            hideHeader: true,
            align: "end",
            cell: (row) => (
              <Button
                size="compact-sm"
                variant="default"
                aria-label={`Revoke ${row.name}`}
                onClick={async () => {
                  await action.run({ token: row.id });
                  await client.invalidateQueries({ queryKey: settingsKeys.tokens });
                }}
              >
                Revoke
              </Button>
            ),
          },
        ]}
      />
      {query.data?.nextCursor ? (
        <p className={classes.note}>The page of API tokens lists the older ones.</p>
      ) : null}
    </section>
  );
}
