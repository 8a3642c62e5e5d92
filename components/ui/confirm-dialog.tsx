"use client";
/**
 * Asks before something that can't be taken back or that disturbs others. The title is a question that names the
 * act, the body its consequences, the button repeats the verb. With `typeName` the object's own name must be
 * typed (the server checks it again); there is no copy button beside it, on purpose.
 */
import { Button, Modal, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import type { ActionFailure } from "./action-result";
import classes from "./confirm-dialog.module.css";
import { FormBanner, SubmitButton } from "./form";

export interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  /** "Restore over shop-staging?" */
  title: string;
  children: ReactNode;
  /** "Restore over it" */
  confirmLabel: string;
  onConfirm: (typed: string) => void | Promise<void>;
  pending?: boolean;
  failure?: ActionFailure | null;
  danger?: boolean;
  /** The name that has to be typed. */
  typeName?: string;
}

export function ConfirmDialog({ opened, onClose, title, ...rest }: ConfirmProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={<span className={classes.title}>{title}</span>} size="md">
      {/* Mounted anew each time, so that nothing typed earlier is left. */}
      {opened ? <ConfirmBody onClose={onClose} {...rest} /> : null}
    </Modal>
  );
}

function ConfirmBody({
  onClose,
  children,
  confirmLabel,
  onConfirm,
  pending = false,
  failure = null,
  danger = false,
  typeName,
}: Omit<ConfirmProps, "opened" | "title">) {
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState(false);

  function submit(event: FormEvent) {
    event.preventDefault();
    event.stopPropagation();
    if (pending) return;
    if (typeName !== undefined && typed.trim() !== typeName) {
      setWrong(true);
      return;
    }
    void onConfirm(typed.trim());
  }

  return (
    <form onSubmit={submit} className={classes.body} noValidate>
      <div className={classes.words}>{children}</div>
      {typeName === undefined ? null : (
        <TextInput
          label={
            <>
              Type <strong className={classes.name}>{typeName}</strong> to go on
            </>
          }
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            setWrong(false);
          }}
          error={wrong ? `This is not ${typeName}.` : undefined}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
      )}
      <FormBanner failure={failure} title="It was not done" />
      <div className={classes.actions}>
        <Button
          variant="default"
          onClick={onClose}
          {...(typeName === undefined ? { "data-autofocus": true } : {})}
        >
          Cancel
        </Button>
        <SubmitButton pending={pending} danger={danger}>
          {confirmLabel}
        </SubmitButton>
      </div>
    </form>
  );
}
