"use client";
/** Invites somebody by a link that works once. */
import { Modal, Select, TextInput } from "@mantine/core";
import type { ServerAction } from "@/components/ui/action-result";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { roles } from "@/components/ui/state-lists";
import type { InviteDto } from "@/lib/members/schema";
import { LimitFields } from "../limit-fields";

export interface NewInvite {
  email: string;
  name: string;
  role: (typeof roles)[number];
  environments: string[];
  applications: string[];
}
type Invite = ServerAction<NewInvite, InviteDto & { url: string }>;

export default function InviteDialog({
  opened,
  onClose,
  invite,
  onInvited,
}: {
  opened: boolean;
  onClose: () => void;
  invite: Invite;
  onInvited: (url: string) => void;
}) {
  return (
    <Modal opened={opened} onClose={onClose} title="Invite a member">
      {opened ? <InviteForm invite={invite} onInvited={onInvited} /> : null}
    </Modal>
  );
}

function InviteForm({ invite, onInvited }: { invite: Invite; onInvited: (url: string) => void }) {
  const form = useActionForm({
    initial: {
      email: "",
      name: "",
      role: "operator",
      environments: [] as string[],
      applications: [] as string[],
    },
    action: invite,
    toInput: (values): NewInvite => ({ ...values, role: values.role as NewInvite["role"] }),
    onDone: ({ url }: { url: string }) => onInvited(url),
  });
  return (
    <ActionForm form={form} submitLabel="Make the invitation">
      <TextInput label="E-mail" type="email" data-autofocus {...form.field("email")} />
      <TextInput label="Name" {...form.field("name")} />
      <Select label="Role" data={[...roles]} allowDeselect={false} {...form.field("role")} />
      <LimitFields form={form} />
    </ActionForm>
  );
}
