"use client";
/**
 * Downloads an artefact, as it is stored or decrypted, after the password was typed again. The password is checked
 * first; then a form of the browser's own fetches the file, so that its size does not matter.
 */
import { Modal, PasswordInput, Radio, Select } from "@mantine/core";
import { useRef } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { ActionForm, useActionForm } from "@/components/ui/form";
import type { BackupDto } from "@/lib/backups/schema";
import { formatBytes } from "@/lib/format";

export type CheckPassword = ServerAction<{ password: string }, unknown>;
interface Props {
  backup: BackupDto;
  check: CheckPassword;
  onClose: () => void;
}

export default function DownloadDialog({ opened, ...props }: Props & { opened: boolean }) {
  return (
    <Modal opened={opened} onClose={props.onClose} title="Download">
      {opened ? <DownloadForm {...props} /> : null}
    </Modal>
  );
}

function DownloadForm({ backup, check, onClose }: Props) {
  const fetching = useRef<HTMLFormElement>(null);
  const form = useActionForm({
    initial: { artefact: backup.artefacts[0]?.name ?? "dump", as: "stored", password: "" },
    action: check,
    toInput: ({ password }) => ({ password }),
    onDone: () => {
      fetching.current?.submit();
      onClose();
    },
  });
  const { artefact, as, password } = form.values;
  return (
    <>
      <ActionForm form={form} submitLabel="Download">
        <Select
          label="File"
          allowDeselect={false}
          data={backup.artefacts.map(({ name, file, bytes }) => ({
            value: name,
            label: `${file} (${formatBytes(bytes)} stored)`,
          }))}
          {...form.field("artefact")}
        />
        <Radio.Group label="As" {...form.field("as")}>
          <Radio value="stored" mt="xs" label="It is stored: compressed and encrypted" />
          <Radio
            value="dump"
            mt="xs"
            label="It was dumped: decrypted; anyone who gets the file can read the data"
          />
        </Radio.Group>
        <PasswordInput
          label="Your password"
          description="Asked for again, because the file holds the data. The download is audited."
          autoComplete="current-password"
          {...form.field("password")}
        />
      </ActionForm>
      <form ref={fetching} method="post" action={`/backups/${backup.id}/download`} hidden>
        <input type="hidden" name="artefact" value={artefact} />
        <input type="hidden" name="as" value={as} />
        <input type="hidden" name="password" value={password} />
      </form>
    </>
  );
}
