"use client";
/** Members and open invitations. A click opens what can be done with a member. */
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { failureToProblem } from "@/components/ui/action-result";
import { type Column, DataTable } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/empty-state";
import { ProblemPanel } from "@/components/ui/error-panel";
import { lazyDialog } from "@/components/ui/lazy-dialog";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { Section } from "@/components/ui/section";
import { Status } from "@/components/ui/status";
import { useAction } from "@/components/ui/use-action";
import { type List, useList } from "@/components/ui/use-list";
import { plural } from "@/lib/format";
import { settingsKeys } from "@/lib/members/query-keys";
import type { InviteDto, MemberDto } from "@/lib/members/schema";
import { RoleLimits } from "../role-limits";
import { SecretShownOnce } from "../secret-shown-once";
import type { MemberActions } from "./member-actions";

const MemberDialog = lazyDialog(() => import("./member-dialog"));

const InviteDialog = lazyDialog(() => import("./invite-dialog"));

function finding({ rows, next, previous }: List<MemberDto>): TitlePart[] {
  // A page of many tells nothing about them all.
  if (!rows || next || previous) return [{ text: "Members" }];
  const active = rows.filter((row) => !row.disabledAt);
  const bare = active.filter((row) => row.role === "admin" && !row.totp).length;
  const start = `${plural(active.length, "member")}`;
  if (bare === 0) return [{ text: `${start}; every admin has a second factor.` }];
  return [
    { text: `${start}; ` },
    { text: `${plural(bare, "admin")} without a second factor.`, tone: "warning" },
  ];
}

export function MembersPage({ actions }: { actions: MemberActions }) {
  const client = useQueryClient();
  const members = useList<MemberDto>({ path: "members", key: (asked) => [...settingsKeys.members, asked] });
  const invites = useList<InviteDto>({
    path: "invites",
    key: (asked) => [...settingsKeys.invites, asked],
    cursorName: "invites-cursor",
  });
  const [inviting, setInviting] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  const [opened, setOpened] = useState<MemberDto | null>(null);
  const revoke = useAction(actions.revokeInvite);
  const refresh = async () => {
    await client.invalidateQueries({ queryKey: settingsKeys.members });
    await client.invalidateQueries({ queryKey: settingsKeys.invites });
  };
  const memberColumns: Column<MemberDto>[] = [
    { key: "name", header: "Name", main: true, cell: (row) => row.name },
    { key: "email", header: "E-mail", cell: (row) => row.email },
    {
      key: "role",
      header: "Role",
      cell: (row) => <RoleLimits {...row} />,
    },
    {
      key: "state",
      header: "State",
      cell: (row) => {
        if (row.disabledAt) return <Status tone="unknown">disabled</Status>;
        return row.totp ? (
          <Status tone="ok">two factors</Status>
        ) : (
          <Status tone="warning">password only</Status>
        );
      },
    },
    {
      key: "seen",
      header: "Last sign-in",
      cell: (row) => (row.lastLoginAt ? <RelativeTime at={row.lastLoginAt} still /> : "never"),
    },
    {
      key: "act",
      header: "Actions",
      hideHeader: true,
      align: "end",
      cell: (row) => (
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`Change ${row.name}`}
          onClick={() => setOpened(row)}
        >
          Change…
        </Button>
      ),
    },
  ];
  const inviteColumns: Column<InviteDto>[] = [
    { key: "email", header: "E-mail", main: true, cell: (row) => row.email },
    { key: "role", header: "Role", cell: (row) => <RoleLimits {...row} /> },
    { key: "by", header: "Invited by", cell: (row) => row.invitedBy },
    { key: "ends", header: "Ends", cell: (row) => <RelativeTime at={row.expiresAt} still /> },
    {
      key: "act",
      header: "Actions",
      hideHeader: true,
      align: "end",
      cell: (row) => (
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`Revoke the invitation of ${row.email}`}
          onClick={async () => {
            await revoke.run({ invite: row.id });
            await refresh();
          }}
        >
          Revoke
        </Button>
      ),
    },
  ];
  return (
    <>
      <PageHeader
        title={finding(members)}
        facts={[
          "viewer reads",
          "operator backs up and proves",
          "admin changes, restores and manages members",
        ]}
        actions={<Button onClick={() => setInviting(true)}>Invite…</Button>}
      />
      <DataTable
        list={members}
        label="Members"
        what="members"
        columns={memberColumns}
        rowKey={(row) => row.id}
        empty={null}
      />
      <Section title="Open invitations">
        {revoke.failure ? (
          <ProblemPanel title="Not revoked" problem={failureToProblem(revoke.failure)} />
        ) : null}
        <DataTable
          list={invites}
          label="Open invitations"
          what="invitations"
          columns={inviteColumns}
          rowKey={(row) => row.id}
          empty={
            <EmptyState title="No open invitations">
              An invitation is a link that works once, for seven days.
            </EmptyState>
          }
        />
      </Section>
      <InviteDialog
        opened={inviting}
        onClose={() => setInviting(false)}
        invite={actions.invite}
        onInvited={(url) => {
          setInviting(false);
          setLink(url);
          void refresh();
        }}
      />
      <SecretShownOnce secret={link} title="The invitation" onClose={() => setLink(null)}>
        Send this link to the person. It works once, for seven days, and is not shown again.
      </SecretShownOnce>
      <MemberDialog
        opened={opened !== null}
        member={opened}
        actions={actions}
        onClose={() => setOpened(null)}
        onChanged={() => void refresh()}
      />
    </>
  );
}
