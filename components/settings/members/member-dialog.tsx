"use client";
/** What an admin can do with a member: name, role, limits; tokens and sessions; password, second factor, disabling. */
import { Modal, Select, TextInput } from "@mantine/core";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { roles } from "@/components/ui/state-lists";
import { useSharedQuery } from "@/components/ui/use-shared-query";
import { apiGet } from "@/lib/api-client";
import { settingsKeys } from "@/lib/members/query-keys";
import type { Me, MemberDto } from "@/lib/members/schema";
import { LimitFields } from "../limit-fields";
import classes from "../settings.module.css";
import { MemberAccess } from "./member-access";
import type { MemberActions, MemberChange } from "./member-actions";
import { MemberSessions } from "./member-sessions";
import { MemberTokens } from "./member-tokens";

interface Props {
  actions: MemberActions;
  onClose: () => void;
  onChanged: () => void;
}

export default function MemberDialog({
  opened,
  member,
  ...props
}: Props & { opened: boolean; member: MemberDto | null }) {
  return (
    <Modal opened={opened} onClose={props.onClose} title={member?.name ?? ""} size="lg">
      {member ? <Body key={member.id} member={member} {...props} /> : null}
    </Modal>
  );
}

function Body({ member, ...props }: Props & { member: MemberDto }) {
  const { actions } = props;
  const me = useSharedQuery({
    queryKey: settingsKeys.me,
    queryFn: ({ signal }) => apiGet<Me>("me", {}, signal),
  });
  const own = me.data?.id === member.id;
  return (
    <>
      <p className={classes.note}>
        {member.email}
        {member.disabledAt ? " · disabled" : null}
      </p>
      <MemberForm member={member} {...props} />
      <MemberTokens member={member} revoke={actions.revokeToken} />
      <MemberSessions member={member} end={actions.endSession} />
      {own ? (
        <p className={classes.dialogPart}>
          This is you: password, second factor and sessions are under Your account.
        </p>
      ) : (
        <MemberAccess member={member} {...props} />
      )}
    </>
  );
}

function MemberForm({ member, actions, onClose, onChanged }: Props & { member: MemberDto }) {
  const { name, role, environments, applications } = member;
  const form = useActionForm({
    initial: { name, role: role as string, environments, applications },
    action: actions.update,
    toInput: (values): MemberChange => ({
      ...values,
      member: member.id,
      role: values.role as MemberDto["role"],
    }),
    onDone: () => {
      onChanged();
      onClose();
    },
  });
  return (
    <ActionForm form={form} submitLabel="Save">
      <TextInput label="Name" {...form.field("name")} />
      <Select label="Role" data={[...roles]} allowDeselect={false} {...form.field("role")} />
      <LimitFields form={form} />
    </ActionForm>
  );
}
