"use client";
import { PasswordInput, TextInput, UnstyledButton } from "@mantine/core";
import { type FormEvent, useRef, useState } from "react";
import { FormBanner, SubmitButton } from "@/components/ui/form";
import { safePath, signIn } from "./auth-client";
import { AuthHeading } from "./auth-frame";
import classes from "./login-form.module.css";

/** E-mail, password and, for accounts with a second factor, its code: all in one submit. */
export function LoginForm({ callbackUrl, notice }: { callbackUrl: string | null; notice: string | null }) {
  const [withCode, setWithCode] = useState(false);
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const password = useRef<HTMLInputElement>(null);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (pending) return;
    const data = new FormData(event.currentTarget);
    const given = (name: string) => String(data.get(name) ?? "");
    setPending(true);
    setFailure(null);
    const wrong = await signIn({ email: given("email"), password: given("password"), code: given("code") });
    if (wrong === null) {
      // A full load: the new session decides what the first page holds.
      window.location.assign(safePath(callbackUrl));
      return;
    }
    setFailure(wrong);
    setPending(false);
    password.current?.focus();
  }

  return (
    <form onSubmit={(event) => void submit(event)} className={classes.form} noValidate>
      <AuthHeading title="Sign in">{notice}</AuthHeading>
      <FormBanner
        failure={failure ? { code: "unauthenticated", message: failure } : null}
        title="You are not signed in"
      />
      <TextInput
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        autoFocus
        required
        withAsterisk={false}
      />
      <PasswordInput
        ref={password}
        label="Password"
        name="password"
        autoComplete="current-password"
        required
        withAsterisk={false}
      />
      {withCode ? (
        <TextInput
          label="Code"
          description="Six digits of your authenticator, or a recovery code."
          name="code"
          autoComplete="one-time-code"
          inputMode="text"
          autoFocus
          spellCheck={false}
        />
      ) : (
        <UnstyledButton className={classes.link} onClick={() => setWithCode(true)}>
          I have a code
        </UnstyledButton>
      )}
      <SubmitButton pending={pending} fullWidth>
        Sign in
      </SubmitButton>
      <p className={classes.hint}>Forgotten your password or lost your device? An admin can reset both.</p>
    </form>
  );
}
