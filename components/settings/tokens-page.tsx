"use client";
/** API tokens: made with a role and an end, shown once, revoked at once. */
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { type Column, DataTable } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/empty-state";
import { lazyDialog } from "@/components/ui/lazy-dialog";
import { PageHeader } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import type { roles } from "@/components/ui/state-lists";
import { useAction } from "@/components/ui/use-action";
import { type List, useList } from "@/components/ui/use-list";
import { plural } from "@/lib/format";
import { settingsKeys } from "@/lib/members/query-keys";
import type { TokenDto } from "@/lib/tokens/schema";
import { RoleLimits } from "./role-limits";
import { SecretShownOnce } from "./secret-shown-once";
import { TokenState } from "./token-state";

const TokenDialog = lazyDialog(() => import("./token-dialog"));

export interface NewToken {
  name: string;
  role: (typeof roles)[number];
  environments: string[];
  applications: string[];
  expiresInDays: number | null;
}
export interface TokenActions {
  create: ServerAction<NewToken, TokenDto & { token: string }>;
  revoke: ServerAction<{ token: string }, unknown>;
}

function finding({ rows, next, previous }: List<TokenDto>): string {
  // A page of many tells nothing about them all.
  if (!rows || next || previous) return "API tokens";
  const working = rows.filter(works).length;
  return `${working === 0 ? "No API token" : plural(working, "API token")} can act on this install.`;
}

const works = (row: TokenDto) => row.state === "works";

/** How many are listed that don't work. */
function stopped(rows: TokenDto[] = []): string | null {
  const count = rows.length - rows.filter(works).length;
  if (count === 0) return null;
  return count === 1 ? "one more does not work" : `${count} more do not work`;
}

export function TokensPage({ actions }: { actions: TokenActions }) {
  const client = useQueryClient();
  const list = useList<TokenDto>({ path: "tokens", key: (asked) => [...settingsKeys.tokens, asked] });
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const [ending, setEnding] = useState<TokenDto | null>(null);
  const revoke = useAction(actions.revoke);
  const refresh = () => client.invalidateQueries({ queryKey: settingsKeys.tokens });
  const columns: Column<TokenDto>[] = [
    { key: "name", header: "Name", main: true, cell: (row) => row.name },
    { key: "prefix", header: "Begins with", cell: (row) => <code>{row.prefix}</code>, wideOnly: true },
    { key: "role", header: "Role", cell: (row) => <RoleLimits {...row} /> },
    { key: "state", header: "State", cell: (row) => <TokenState token={row} /> },
    { key: "by", header: "Made by", cell: (row) => row.createdBy, wideOnly: true },
    {
      key: "used",
      header: "Last used",
      cell: (row) => (row.lastUsedAt ? <RelativeTime at={row.lastUsedAt} still /> : "never"),
    },
    {
      key: "act",
      header: "Actions",
      hideHeader: true,
      align: "end",
      cell: (row) => (
        <Button size="compact-sm" variant="default" onClick={() => setEnding(row)}>
          Revoke…
        </Button>
      ),
    },
  ];
  return (
    <>
      <PageHeader
        title={finding(list)}
        facts={["For your CI and the holdfast command", "stored hashed, shown once", stopped(list.rows)]}
        actions={<Button onClick={() => setMaking(true)}>New token…</Button>}
      />
      <DataTable
        list={list}
        label="API tokens"
        what="tokens"
        columns={columns}
        rowKey={(row) => row.id}
        empty={
          <EmptyState title="No API tokens">
            A token lets your CI back up and verify, with a role and an end of its own.
          </EmptyState>
        }
      />
      <TokenDialog
        opened={making}
        onClose={() => setMaking(false)}
        create={actions.create}
        onDone={(made) => {
          setMaking(false);
          setSecret(made.token);
          void refresh();
        }}
      />
      <SecretShownOnce secret={secret} title="Your new token" onClose={() => setSecret(null)}>
        Copy it now: it is stored hashed and cannot be shown again. Put it into <code>HOLDFAST_TOKEN</code>.
      </SecretShownOnce>
      <ConfirmDialog
        opened={ending !== null}
        onClose={() => setEnding(null)}
        title={`Revoke the token ${ending?.name ?? ""}?`}
        confirmLabel="Revoke it"
        danger
        pending={revoke.pending}
        failure={revoke.failure}
        onConfirm={async () => {
          if (!ending) return;
          if (await revoke.run({ token: ending.id })) setEnding(null);
          await refresh();
        }}
      >
        <p>Whatever uses it is refused from its next request on.</p>
      </ConfirmDialog>
    </>
  );
}
