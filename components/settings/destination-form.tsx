"use client";
/** Adds a destination of any kind, or changes how one is signed in to. It is tried out before it is saved. */
import { SegmentedControl, TextInput } from "@mantine/core";
import type { ServerAction } from "@/components/ui/action-result";
import { ActionForm, useActionForm } from "@/components/ui/form";
import type {
  CreateDestinationInput,
  DestinationDto,
  UpdateDestinationInput,
} from "@/lib/destinations/schema";
import { LocalFields, type ReadHostKey, S3Fields, SftpFields } from "./destination-fields";
import { createInputOf, type DestinationValues, updateInputOf, valuesOf } from "./destination-values";

export interface DestinationFormActions {
  create: ServerAction<CreateDestinationInput, unknown>;
  update: ServerAction<{ destination: string; input: UpdateDestinationInput }, unknown>;
  readHostKey: ReadHostKey;
}

const KINDS = [
  { value: "local", label: "Folder" },
  { value: "s3", label: "S3 bucket" },
  { value: "sftp", label: "SFTP server" },
];

export function DestinationForm({
  row,
  actions,
  onDone,
}: {
  /** The one that is edited; null makes a new one. */
  row: DestinationDto | null;
  actions: DestinationFormActions;
  onDone: () => void;
}) {
  const form = useActionForm<DestinationValues, DestinationValues, unknown>({
    initial: valuesOf(row),
    action: (values) =>
      row
        ? actions.update({ destination: row.id, input: updateInputOf(values) })
        : actions.create(createInputOf(values)),
    onDone,
  });
  const saved = row !== null;
  const fields = { form, saved };
  const { kind } = form.values;
  return (
    <ActionForm
      form={form}
      submitLabel={!saved ? "Test and add" : kind === "local" ? "Save" : "Test and save"}
    >
      {saved ? null : (
        <SegmentedControl aria-label="Kind of destination" data={KINDS} fullWidth {...form.field("kind")} />
      )}
      <TextInput
        label="Name"
        description="Lower-case letters, digits and hyphens"
        data-autofocus
        {...form.field("name")}
      />
      {kind === "local" ? <LocalFields {...fields} /> : null}
      {kind === "s3" ? <S3Fields {...fields} /> : null}
      {kind === "sftp" ? <SftpFields {...fields} readHostKey={actions.readHostKey} /> : null}
      <p>
        {saved
          ? "Where it is can't be changed, because copies lie there: add another destination instead."
          : "A small object is written, read back, listed and deleted. New backups are written there from then on."}
      </p>
    </ActionForm>
  );
}
