"use client";
/** Makes an API token. */
import { Modal, Select, TextInput } from "@mantine/core";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { roles } from "@/components/ui/state-lists";
import type { TokenDto } from "@/lib/tokens/schema";
import { LimitFields } from "./limit-fields";
import classes from "./settings.module.css";
import type { NewToken, TokenActions } from "./tokens-page";

const ENDS = [
  { value: "7", label: "in 7 days" },
  { value: "30", label: "in 30 days" },
  { value: "90", label: "in 90 days" },
  { value: "365", label: "in a year" },
  { value: "never", label: "never" },
];

interface Props {
  create: TokenActions["create"];
  onDone: (made: TokenDto & { token: string }) => void;
}

export default function TokenDialog({
  opened,
  onClose,
  ...form
}: Props & { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="New API token">
      {opened ? <TokenForm {...form} /> : null}
    </Modal>
  );
}

function TokenForm({ create, onDone }: Props) {
  const form = useActionForm({
    initial: {
      name: "",
      role: "operator",
      environments: [] as string[],
      applications: [] as string[],
      ends: "90",
    },
    action: create,
    toInput: ({ role, ends, ...rest }): NewToken => ({
      ...rest,
      role: role as NewToken["role"],
      expiresInDays: ends === "never" ? null : Number(ends),
    }),
    onDone,
  });
  return (
    <div className={classes.narrow}>
      <ActionForm form={form} submitLabel="Make the token">
        <TextInput label="Name" description="What it is for" data-autofocus {...form.field("name")} />
        <Select label="Role" data={[...roles]} allowDeselect={false} {...form.field("role")} />
        <LimitFields form={form} />
        <Select label="Ends" data={ENDS} allowDeselect={false} {...form.field("ends")} />
      </ActionForm>
    </div>
  );
}
