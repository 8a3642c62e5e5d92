"use client";
/** The dialog behind ConfirmDialog. */
import { Button, Modal, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { ConfirmProps } from "./confirm-dialog";
import classes from "./confirm-dialog.module.css";
import { FormBanner, SubmitButton } from "./form";

export default function ConfirmDialogContent({ opened, onClose, title, ...rest }: ConfirmProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size="md">
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
