"use client";
/** Chooses a database and backs it up; goes to the new backup's page. */
import { Modal, Select, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import type { ServerAction } from "@/components/ui/action-result";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { apiGet } from "@/lib/api-client";
import type { BackupItem } from "@/lib/backups/schema";
import { databaseKeys } from "@/lib/databases/query-keys";
import type { DatabaseItem } from "@/lib/databases/schema";
import type { Page } from "@/lib/paging";

export type StartBackup = ServerAction<{ database: string; verify: boolean }, BackupItem>;

/** Names of all databases, for a choice; the first 200. */
export function useDatabaseNames(): { value: string; label: string; engine: string }[] {
  const asked = { limit: "200" };
  const { data } = useQuery({
    queryKey: databaseKeys.list(asked),
    queryFn: ({ signal }) => apiGet<Page<DatabaseItem>>("databases", asked, signal),
  });
  return (data?.items ?? []).map(({ name, engine }) => ({ value: name, label: name, engine }));
}

export function BackupDialog({
  opened,
  onClose,
  start,
}: {
  opened: boolean;
  onClose: () => void;
  start: StartBackup;
}) {
  return (
    <Modal opened={opened} onClose={onClose} title="Back up a database">
      {opened ? <DialogForm start={start} /> : null}
    </Modal>
  );
}

function DialogForm({ start }: { start: StartBackup }) {
  const router = useRouter();
  const names = useDatabaseNames();
  const form = useActionForm({
    initial: { database: "", verify: true },
    action: start,
    check: ({ database }): Record<string, string> => (database ? {} : { database: "Choose a database." }),
    onDone: (backup: BackupItem) => router.push(`/backups/${backup.id}`),
  });
  return (
    <ActionForm form={form} submitLabel="Back up">
      <Select
        label="Database"
        data={names}
        searchable
        nothingFoundMessage="No such database"
        {...form.field("database")}
      />
      <Switch
        label="Prove it afterwards"
        description="Restores it into a throwaway server and compares every table."
        {...form.field("verify", { type: "checkbox" })}
      />
    </ActionForm>
  );
}
