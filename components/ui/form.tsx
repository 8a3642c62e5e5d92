"use client";
/**
 * Forms over server actions. `useActionForm` holds the values; on a failure the messages stand beside their
 * fields, the first of them gets the focus and the rest is in the banner. What was typed stays. Save is never
 * disabled because something is missing.
 *
 *   const form = useActionForm({ initial, action, toInput, onDone });
 *   <ActionForm form={form} submitLabel="Save"> <TextInput label="Name" {...form.field("name")} /> </ActionForm>
 */
import { Button, Loader } from "@mantine/core";
import { useForm } from "@mantine/form";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { type ActionFailure, callAction, failureToProblem, type ServerAction } from "./action-result";
import { ProblemPanel } from "./error-panel";
import classes from "./form.module.css";

export interface ActionFormOptions<V extends Record<string, unknown>, I, T> {
  initial: V;
  action: ServerAction<I, T>;
  /** Values to the action's input. Default: as they are. */
  toInput?: (values: V) => I;
  /** Messages that need no server; an empty object means none. */
  check?: (values: V) => Record<string, string>;
  onDone?: (data: T, values: V) => void | Promise<void>;
}

export function useActionForm<V extends Record<string, unknown>, I, T>(options: ActionFormOptions<V, I, T>) {
  const form = useForm<V>({ initialValues: options.initial });
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<ActionFailure | null>(null);
  const [round, setRound] = useState(0);
  const element = useRef<HTMLFormElement>(null);

  // After the messages are on the page the first wrong field gets the focus, else the banner is scrolled to.
  useEffect(() => {
    if (round === 0) return;
    const wrong = element.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-error] input');
    if (wrong) wrong.focus();
    else element.current?.querySelector('[role="alert"]')?.scrollIntoView({ block: "nearest" });
  }, [round]);

  const fail = (error: ActionFailure) => {
    form.setErrors(error.fields ?? {});
    setFailure(error);
    setRound((count) => count + 1);
  };

  async function submit(event?: FormEvent) {
    event?.preventDefault();
    if (pending) return;
    const values = form.getValues();
    const missing = options.check?.(values) ?? {};
    if (Object.keys(missing).length > 0) {
      fail({ code: "invalid", message: "Some fields need another look.", fields: missing });
      return;
    }
    form.clearErrors();
    setFailure(null);
    setPending(true);
    try {
      const input = options.toInput ? options.toInput(values) : (values as unknown as I);
      const result = await callAction(options.action, input);
      if (result.ok) await options.onDone?.(result.data, values);
      else fail(result.error);
    } finally {
      setPending(false);
    }
  }

  return { form, values: form.values, field: form.getInputProps, submit, pending, failure, fail, element };
}

interface FormState {
  submit: (event?: FormEvent) => Promise<void>;
  pending: boolean;
  failure: ActionFailure | null;
  element: React.RefObject<HTMLFormElement | null>;
  form: { errors: Record<string, ReactNode> };
}

export function ActionForm({
  form,
  submitLabel,
  children,
  secondary,
  danger = false,
}: {
  form: FormState;
  submitLabel: string;
  children: ReactNode;
  /** Further buttons, after the primary one. */
  secondary?: ReactNode;
  danger?: boolean;
}) {
  return (
    <form
      ref={form.element}
      onSubmit={(event) => void form.submit(event)}
      noValidate
      className={classes.form}
    >
      {children}
      <FormBanner failure={form.failure} />
      <div className={classes.actions}>
        <SubmitButton pending={form.pending} danger={danger}>
          {submitLabel}
        </SubmitButton>
        {secondary}
      </div>
    </form>
  );
}

/** Keeps its label and its place in the tab order while the work is under way. */
export function SubmitButton({
  pending,
  danger = false,
  fullWidth = false,
  children,
}: {
  pending: boolean;
  danger?: boolean;
  fullWidth?: boolean;
  children: ReactNode;
}) {
  return (
    <Button
      type="submit"
      fullWidth={fullWidth}
      {...(danger ? { color: "problem" } : {})}
      aria-disabled={pending || undefined}
      leftSection={pending ? <Loader size={14} color="currentColor" /> : undefined}
    >
      {children}
    </Button>
  );
}

/** What went wrong with the form as a whole; field messages are listed where they have no field of their own. */
export function FormBanner({ failure, title }: { failure: ActionFailure | null; title?: string }) {
  if (!failure) return null;
  const problem = failureToProblem(failure);
  return <ProblemPanel title={title ?? "Nothing was saved"} problem={problem} />;
}

/** A group of fields with a heading and an optional sentence. */
export function FieldGroup({
  legend,
  hint,
  children,
}: {
  legend: string;
  hint?: ReactNode;
  children: ReactNode;
}) {
  return (
    <fieldset className={classes.group}>
      <legend>{legend}</legend>
      {hint ? <p className={classes.hint}>{hint}</p> : null}
      {children}
    </fieldset>
  );
}

/** Fields side by side where there is room. */
export function FieldRow({ children }: { children: ReactNode }) {
  return <div className={classes.row}>{children}</div>;
}
