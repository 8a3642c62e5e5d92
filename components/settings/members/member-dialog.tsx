"use client";
/** What an admin can do with a member: role, limits, password and second factor, sessions, disabling. */
import { Button, Modal, MultiSelect, Select } from "@mantine/core";
import { useState } from "react";
import { failureToProblem } from "@/components/ui/action-result";
import { CodeBlock } from "@/components/ui/code-block";
import { ProblemPanel } from "@/components/ui/error-panel";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { roles } from "@/components/ui/state-lists";
import { useAction } from "@/components/ui/use-action";
import type { MemberDto } from "@/lib/members/schema";
import classes from "../settings.module.css";
import { useEnvironmentNames } from "../use-environment-names";
import type { MemberActions, MemberChange } from "./member-actions";

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
      {member ? <MemberForm member={member} {...props} /> : null}
    </Modal>
  );
}

function MemberForm({ member, actions, onClose, onChanged }: Props & { member: MemberDto }) {
  const environments = useEnvironmentNames();
  const form = useActionForm({
    initial: { role: member.role as string, environments: member.environments },
    action: actions.update,
    toInput: ({ role, environments: limits }): MemberChange => ({
      member: member.id,
      role: role as MemberDto["role"],
      environments: limits,
    }),
    onDone: () => {
      onChanged();
      onClose();
    },
  });
  return (
    <>
      <ActionForm form={form} submitLabel="Save">
        <Select label="Role" data={[...roles]} allowDeselect={false} {...form.field("role")} />
        <MultiSelect
          label="Only these environments"
          placeholder="all"
          data={environments}
          {...form.field("environments")}
        />
      </ActionForm>
      <MemberSecurity member={member} actions={actions} onChanged={onChanged} onClose={onClose} />
    </>
  );
}

function MemberSecurity({ member, actions, onChanged, onClose }: Props & { member: MemberDto }) {
  const [password, setPassword] = useState<string>();
  const [done, setDone] = useState<string>();
  const reset = useAction(actions.resetPassword);
  const resetTotp = useAction(actions.resetTotp);
  const end = useAction(actions.endSessions);
  const update = useAction(actions.update);
  const failure = reset.failure ?? resetTotp.failure ?? end.failure ?? update.failure;
  const disabled = member.disabledAt !== null;
  return (
    <>
      <h3>Access</h3>
      {failure ? <ProblemPanel title="It was not done" problem={failureToProblem(failure)} /> : null}
      {password ? (
        <>
          <p className={classes.note}>
            Hand this temporary password over. It must be changed at the next sign-in.
          </p>
          <CodeBlock code={password} label="Copy the password" />
        </>
      ) : null}
      {done ? <p role="status">{done}</p> : null}
      <div className={classes.buttons}>
        <Button
          variant="default"
          onClick={async () => setPassword((await reset.run({ member: member.id }))?.temporaryPassword)}
          loading={reset.pending}
        >
          Reset the password
        </Button>
        {member.totp ? (
          <Button
            variant="default"
            loading={resetTotp.pending}
            onClick={async () => {
              if (await resetTotp.run({ member: member.id })) setDone("The second factor is removed.");
              onChanged();
            }}
          >
            Remove the second factor
          </Button>
        ) : null}
        <Button
          variant="default"
          loading={end.pending}
          onClick={async () => {
            if (await end.run({ member: member.id })) setDone("All sessions have ended.");
          }}
        >
          End all sessions
        </Button>
        <Button
          {...(disabled ? { variant: "default" } : { color: "problem" })}
          loading={update.pending}
          onClick={async () => {
            if (await update.run({ member: member.id, disabled: !disabled })) {
              onChanged();
              onClose();
            }
          }}
        >
          {disabled ? "Enable" : "Disable"}
        </Button>
      </div>
    </>
  );
}
