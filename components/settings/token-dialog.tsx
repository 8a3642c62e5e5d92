"use client";
/** Makes an API token. */
import { Modal, MultiSelect, Select, TextInput } from "@mantine/core";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { roles } from "@/components/ui/state-lists";
import type { TokenDto } from "@/lib/tokens/schema";
import classes from "./settings.module.css";
import type { NewToken, TokenActions } from "./tokens-page";
import { useEnvironmentNames } from "./use-environment-names";

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
  const environments = useEnvironmentNames();
  const form = useActionForm({
    initial: { name: "", role: "operator", environments: [] as string[], ends: "90" },
    action: create,
    toInput: ({ name, role, environments: limits, ends }): NewToken => ({
      name,
      role: role as NewToken["role"],
      environments: limits,
      applications: [],
      expiresInDays: ends === "never" ? null : Number(ends),
    }),
    onDone,
  });
  return (
    <div className={classes.narrow}>
      <ActionForm form={form} submitLabel="Make the token">
        <TextInput label="Name" description="What it is for" data-autofocus {...form.field("name")} />
        <Select label="Role" data={[...roles]} allowDeselect={false} {...form.field("role")} />
        <MultiSelect
          label="Only these environments"
          placeholder="all"
          data={environments}
          {...form.field("environments")}
        />
        <Select label="Ends" data={ENDS} allowDeselect={false} {...form.field("ends")} />
      </ActionForm>
    </div>
  );
}
