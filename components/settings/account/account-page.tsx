"use client";
/** One's own account: second factor, password, e-mail address, sessions. */
import { PasswordInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ServerAction } from "@/components/ui/action-result";
import { ErrorPanel } from "@/components/ui/error-panel";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { PageHeader } from "@/components/ui/page-header";
import { Panel, Section } from "@/components/ui/section";
import { RowsSkeleton } from "@/components/ui/skeletons";
import { toast } from "@/components/ui/toast";
import { apiGet } from "@/lib/api-client";
import { settingsKeys } from "@/lib/members/query-keys";
import type { Me } from "@/lib/members/schema";
import { limitWords } from "../limit-words";
import classes from "../settings.module.css";
import { type SessionActions, SessionsSection } from "./sessions-section";
import { type TotpActions, TotpSection } from "./totp-section";

export interface AccountActions extends SessionActions, TotpActions {
  changePassword: ServerAction<{ current: string; password: string }, unknown>;
  changeEmail: ServerAction<{ email: string; password: string }, unknown>;
}

export function AccountPage({ actions }: { actions: AccountActions }) {
  const me = useQuery({ queryKey: settingsKeys.me, queryFn: ({ signal }) => apiGet<Me>("me", {}, signal) });
  if (!me.data) {
    if (!me.error) return <RowsSkeleton rows={6} />;
    return <ErrorPanel error={me.error} onRetry={() => void me.refetch()} retrying={me.isFetching} />;
  }
  const { name, email, role, totp } = me.data;
  const limits = limitWords(me.data);
  return (
    <>
      <PageHeader
        title={
          totp
            ? `${name}, signed in with two factors.`
            : [{ text: `${name}, ` }, { text: "without a second factor.", tone: "warning" }]
        }
        facts={[email, `role ${role}`, limits ? `limited to ${limits}` : null]}
      />
      <TotpSection
        codesLeft={me.data.recoveryCodesLeft}
        actions={actions}
        onChanged={() => void me.refetch()}
      />
      <div className={classes.pair}>
        <Section title="Password">
          <Panel padded>
            <PasswordForm changePassword={actions.changePassword} />
          </Panel>
        </Section>
        <Section title="E-mail" note="what you sign in with">
          <Panel padded>
            <EmailForm
              email={email ?? ""}
              changeEmail={actions.changeEmail}
              onChanged={() => void me.refetch()}
            />
          </Panel>
        </Section>
      </div>
      <SessionsSection actions={actions} />
    </>
  );
}

function PasswordForm({ changePassword }: Pick<AccountActions, "changePassword">) {
  const form = useActionForm({
    initial: { current: "", password: "" },
    action: changePassword,
    onDone: () => {
      form.form.reset();
      void toast("The password is changed. Your other sessions have ended.");
    },
  });
  return (
    <div className={classes.narrow}>
      <ActionForm form={form} submitLabel="Change the password">
        <PasswordInput label="Current password" autoComplete="current-password" {...form.field("current")} />
        <PasswordInput
          label="New password"
          description="12 characters or more; length counts, signs don't."
          autoComplete="new-password"
          {...form.field("password")}
        />
      </ActionForm>
    </div>
  );
}

function EmailForm({
  email,
  changeEmail,
  onChanged,
}: Pick<AccountActions, "changeEmail"> & { email: string; onChanged: () => void }) {
  const form = useActionForm({
    initial: { email, password: "" },
    action: changeEmail,
    onDone: (_done: unknown, values: { email: string }) => {
      form.form.setValues({ email: values.email.trim().toLowerCase(), password: "" });
      onChanged();
      void toast("Sign in with the new address from now on.");
    },
  });
  return (
    <ActionForm form={form} submitLabel="Change the address">
      <TextInput label="E-mail" type="email" autoComplete="email" {...form.field("email")} />
      <PasswordInput label="Your password" autoComplete="current-password" {...form.field("password")} />
    </ActionForm>
  );
}
