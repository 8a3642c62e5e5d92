"use client";
import { PasswordInput, TextInput } from "@mantine/core";
import type { ServerAction } from "@/components/ui/action-result";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { signIn } from "./auth-client";
import { AuthHeading } from "./auth-frame";

/** Accepts an invitation: the account is made with the password chosen here. */
export function InviteForm({
  token,
  email,
  name,
  action,
}: {
  token: string;
  email: string;
  name: string;
  action: ServerAction<{ token: string; password: string }, unknown>;
}) {
  const form = useActionForm({
    initial: { password: "" },
    action,
    toInput: ({ password }) => ({ token, password }),
    onDone: async (_made, { password }) => {
      const wrong = await signIn({ email, password, code: "" });
      window.location.assign(wrong === null ? "/" : "/login");
    },
  });
  return (
    <>
      <AuthHeading title={`Welcome, ${name}`}>Choose a password, and your account is ready.</AuthHeading>
      <ActionForm form={form} submitLabel="Make my account">
        <TextInput label="E-mail" value={email} readOnly autoComplete="username" />
        <PasswordInput
          label="Password"
          description="At least 12 characters; any will do."
          autoComplete="new-password"
          {...form.field("password")}
        />
      </ActionForm>
    </>
  );
}
