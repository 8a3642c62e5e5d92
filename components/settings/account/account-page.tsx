"use client";
/** One's own account: password, second factor, sessions. */
import { PasswordInput } from "@mantine/core";
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
import classes from "../settings.module.css";
import { type SessionActions, SessionsSection } from "./sessions-section";
import { type TotpActions, TotpSection } from "./totp-section";

export interface AccountActions extends SessionActions, TotpActions {
  changePassword: ServerAction<{ current: string; password: string }, unknown>;
}

export function AccountPage({ actions }: { actions: AccountActions }) {
  const me = useQuery({ queryKey: settingsKeys.me, queryFn: ({ signal }) => apiGet<Me>("me", {}, signal) });
  if (!me.data) {
    if (!me.error) return <RowsSkeleton rows={6} />;
    return <ErrorPanel error={me.error} onRetry={() => void me.refetch()} retrying={me.isFetching} />;
  }
  const { name, email, role, totp, environments, applications } = me.data;
  const limits = [...environments, ...applications];
  return (
    <>
      <PageHeader
        title={
          totp
            ? `${name}, signed in with two factors.`
            : [{ text: `${name}, ` }, { text: "without a second factor.", tone: "warning" }]
        }
        facts={[email, `role ${role}`, limits.length > 0 ? `limited to ${limits.join(", ")}` : null]}
      />
      <TotpSection enabled={totp} actions={actions} onChanged={() => void me.refetch()} />
      <Section title="Password">
        <Panel padded>
          <PasswordForm changePassword={actions.changePassword} />
        </Panel>
      </Section>
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
