"use client";
import { PasswordInput, TextInput } from "@mantine/core";
import type { ServerAction } from "@/components/ui/action-result";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { signIn } from "./auth-client";
import { AuthHeading } from "./auth-frame";

export interface ClaimValues extends Record<string, unknown> {
  token: string;
  name: string;
  email: string;
  password: string;
}

/** The first account, for whoever holds the token that the console printed. */
export function ClaimForm({ action, token }: { action: ServerAction<ClaimValues, unknown>; token: string }) {
  const form = useActionForm<ClaimValues, ClaimValues, unknown>({
    initial: { token, name: "", email: "", password: "" },
    action,
    onDone: async (_made, { email, password }) => {
      const wrong = await signIn({ email, password, code: "" });
      window.location.assign(wrong === null ? "/setup/recovery-kit" : "/login");
    },
  });
  return (
    <>
      <AuthHeading title="Make the first account">
        It is an admin. The token shows that you are the one who started Holdfast; it works once.
      </AuthHeading>
      <ActionForm form={form} submitLabel="Make the account">
        <TextInput
          label="Token"
          description="Printed on the console where Holdfast was started."
          autoComplete="off"
          spellCheck={false}
          {...form.field("token")}
        />
        <TextInput label="Your name" autoComplete="name" {...form.field("name")} />
        <TextInput label="E-mail" type="email" autoComplete="username" {...form.field("email")} />
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
