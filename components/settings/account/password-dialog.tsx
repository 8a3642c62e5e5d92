"use client";
/** Asks for one's own password again before something that decides who can sign in. */
import { Modal, PasswordInput } from "@mantine/core";
import type { ServerAction } from "@/components/ui/action-result";
import { ActionForm, useActionForm } from "@/components/ui/form";
import classes from "../settings.module.css";

export interface PasswordDialogProps<T> {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** Why it is asked for, in a sentence. */
  why: string;
  submitLabel: string;
  danger?: boolean;
  action: ServerAction<{ password: string }, T>;
  onDone: (data: T) => void;
}

export default function PasswordDialog<T>({ opened, onClose, title, ...rest }: PasswordDialogProps<T>) {
  return (
    <Modal opened={opened} onClose={onClose} title={title}>
      {opened ? <PasswordForm {...rest} /> : null}
    </Modal>
  );
}

function PasswordForm<T>({
  why,
  submitLabel,
  danger = false,
  action,
  onDone,
}: Omit<PasswordDialogProps<T>, "opened" | "onClose" | "title">) {
  const form = useActionForm({ initial: { password: "" }, action, onDone: (data: T) => onDone(data) });
  return (
    <>
      <p className={classes.note}>{why}</p>
      <ActionForm form={form} submitLabel={submitLabel} danger={danger}>
        <PasswordInput
          label="Your password"
          autoComplete="current-password"
          data-autofocus
          {...form.field("password")}
        />
      </ActionForm>
    </>
  );
}
