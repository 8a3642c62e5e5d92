"use client";
/** Chooses a database and backs it up; goes to the new backup's page. */
import { Modal, Select, Switch } from "@mantine/core";
import { useRouter } from "next/navigation";
import type { ServerAction } from "@/components/ui/action-result";
import { useDatabaseNames } from "@/components/ui/database-names";
import { ActionForm, useActionForm } from "@/components/ui/form";
import type { BackupItem } from "@/lib/backups/schema";

export type StartBackup = ServerAction<{ database: string; verify: boolean }, BackupItem>;

export default function BackupDialog({
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
