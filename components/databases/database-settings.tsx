"use client";
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { useCan } from "@/components/shell/viewer";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { FormBanner } from "@/components/ui/form";
import { KeyValues } from "@/components/ui/key-values";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { useAction } from "@/components/ui/use-action";
import { databaseKeys } from "@/lib/databases/query-keys";
import type { DatabaseDto } from "@/lib/databases/schema";
import type { ActionsOfDatabase } from "./database-actions";
import classes from "./database-page.module.css";

function addressOf({ connection, engine }: DatabaseDto): string {
  if (engine === "sqlite") return String(connection.file ?? "");
  return `${String(connection.user ?? "")}@${String(connection.host ?? "")}:${String(connection.port ?? "")}/${String(connection.database ?? "")}`;
}

export function DatabaseSettings({
  database,
  actions,
}: {
  database: DatabaseDto;
  actions: ActionsOfDatabase;
}) {
  const mayWrite = useCan("database.write");
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const archive = useAction(actions.archive);
  const unarchive = useAction(actions.unarchive);
  const { name } = database;

  async function change(work: typeof archive) {
    const done = await work.run({ database: database.id });
    if (done === undefined) return;
    setAsking(false);
    await client.invalidateQueries({ queryKey: databaseKeys.all });
  }
  return (
    <Section title="Settings">
      <Panel>
        <KeyValues
          items={[
            ["Connection", <code key="at">{addressOf(database)}</code>],
            ...(database.engine !== "sqlite"
              ? ([
                  ["TLS", String(database.connection.tls ?? "prefer")],
                  ["Password", database.hasPassword ? "stored, encrypted" : "none"],
                ] as [string, string][])
              : []),
            ["Application", database.application],
            ["Worker pool", database.pool],
            ["Owner", database.owner ?? "none"],
            ["Tags", database.tags.join(", ") || "none"],
            ...(database.note ? ([["Note", database.note]] as [string, string][]) : []),
            ["Registered", <RelativeTime key="made" at={database.createdAt} />],
          ]}
        />
        {mayWrite ? (
          <div className={classes.settingsActions}>
            {database.archivedAt ? (
              <Button variant="default" size="xs" onClick={() => void change(unarchive)}>
                Bring it back
              </Button>
            ) : (
              <>
                <Button component={Link} href={`/databases/${name}/edit`} variant="default" size="xs">
                  Edit
                </Button>
                <Button variant="subtle" color="problem" size="xs" onClick={() => setAsking(true)}>
                  Archive…
                </Button>
              </>
            )}
          </div>
        ) : null}
      </Panel>
      <FormBanner failure={unarchive.failure} title="It was not brought back" />
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Archive ${name}?`}
        confirmLabel="Archive it"
        onConfirm={() => change(archive)}
        pending={archive.pending}
        failure={archive.failure}
      >
        <p>It leaves the Overview and is not backed up any more. Nothing on its server changes.</p>
        <p>Its backups stay and can be restored. It can be brought back at any time.</p>
      </ConfirmDialog>
    </Section>
  );
}
