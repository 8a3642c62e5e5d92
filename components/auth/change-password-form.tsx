"use client";
import { PasswordInput } from "@mantine/core";
import type { ServerAction } from "@/components/ui/action-result";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { AuthHeading } from "./auth-frame";

/** A temporary password has to be changed before anything else. */
export function ChangePasswordForm({
  action,
}: {
  action: ServerAction<{ current: string; password: string }, unknown>;
}) {
  const form = useActionForm({
    initial: { current: "", password: "" },
    action,
    onDone: () => window.location.assign("/"),
  });
  return (
    <>
      <AuthHeading title="Choose a password of your own">
        The one you signed in with was given to you by an admin and is for one use only.
      </AuthHeading>
      <ActionForm form={form} submitLabel="Change it and go on">
        <PasswordInput
          label="Temporary password"
          autoComplete="current-password"
          {...form.field("current")}
        />
        <PasswordInput
          label="New password"
          description="At least 12 characters; any will do."
          autoComplete="new-password"
          {...form.field("password")}
        />
      </ActionForm>
    </>
  );
}
