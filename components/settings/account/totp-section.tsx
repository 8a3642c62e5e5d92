"use client";
/** Second factor: set up with a QR code, recovery codes shown once, turned off with the password. */
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { failureToProblem } from "@/components/ui/action-result";
import { CodeBlock } from "@/components/ui/code-block";
import { ProblemPanel } from "@/components/ui/error-panel";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { Panel, Section } from "@/components/ui/section";
import { Status } from "@/components/ui/status";
import { useAction } from "@/components/ui/use-action";
import classes from "../settings.module.css";
import { QrCode } from "./qr-code";

export interface TotpActions {
  startTotp: ServerAction<undefined, { secret: string; uri: string }>;
  confirmTotp: ServerAction<{ code: string }, { recoveryCodes: string[] }>;
  disableTotp: ServerAction<{ password: string }, unknown>;
}

export function TotpSection({
  enabled,
  actions,
  onChanged,
}: {
  enabled: boolean;
  actions: TotpActions;
  onChanged: () => void;
}) {
  const start = useAction(actions.startTotp);
  const [setUp, setSetUp] = useState<{ secret: string; uri: string }>();
  const [codes, setCodes] = useState<string[]>();
  return (
    <Section title="Second factor">
      <Panel padded>
        {codes ? (
          <RecoveryCodes codes={codes} onDone={() => setCodes(undefined)} />
        ) : setUp ? (
          <ConfirmForm
            setUp={setUp}
            confirm={actions.confirmTotp}
            onDone={(made) => {
              setSetUp(undefined);
              setCodes(made);
              onChanged();
            }}
          />
        ) : enabled ? (
          <>
            <Status tone="ok">A code from your authenticator app is asked for at each sign-in.</Status>
            <DisableForm disable={actions.disableTotp} onDone={onChanged} />
          </>
        ) : (
          <>
            <p className={classes.note}>
              With a second factor, a stolen password alone does not open this console and the data behind it.
            </p>
            <Button loading={start.pending} onClick={async () => setSetUp(await start.run(undefined))}>
              Set up a second factor
            </Button>
            {start.failure ? (
              <ProblemPanel title="Not set up" problem={failureToProblem(start.failure)} />
            ) : null}
          </>
        )}
      </Panel>
    </Section>
  );
}

function ConfirmForm({
  setUp,
  confirm,
  onDone,
}: {
  setUp: { secret: string; uri: string };
  confirm: TotpActions["confirmTotp"];
  onDone: (codes: string[]) => void;
}) {
  const form = useActionForm({
    initial: { code: "" },
    action: confirm,
    toInput: ({ code }) => ({ code: code.replaceAll(" ", "") }),
    onDone: ({ recoveryCodes }: { recoveryCodes: string[] }) => onDone(recoveryCodes),
  });
  return (
    <div className={classes.row}>
      <div>
        <QrCode text={setUp.uri} label="QR code for your authenticator app" />
      </div>
      <div className={classes.narrow}>
        <p className={classes.note}>
          Scan it with your authenticator app, or type the key, and enter the code it shows.
        </p>
        <CodeBlock code={setUp.secret} label="Copy the key" />
        <ActionForm form={form} submitLabel="Turn it on">
          <TextInput label="Code" inputMode="numeric" autoComplete="one-time-code" {...form.field("code")} />
        </ActionForm>
      </div>
    </div>
  );
}

function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <>
      <p className={classes.note}>
        Keep these recovery codes away from this machine. Each signs you in once, without your authenticator.
        They are not shown again.
      </p>
      <CodeBlock code={codes.join("\n")} label="Copy the codes" />
      <Button onClick={onDone}>I have them</Button>
    </>
  );
}

function DisableForm({ disable, onDone }: { disable: TotpActions["disableTotp"]; onDone: () => void }) {
  const [asking, setAsking] = useState(false);
  const form = useActionForm({ initial: { password: "" }, action: disable, onDone });
  if (!asking) {
    return (
      <Button variant="default" mt="md" onClick={() => setAsking(true)}>
        Turn it off…
      </Button>
    );
  }
  return (
    <div className={classes.narrow}>
      <ActionForm form={form} submitLabel="Turn it off" danger>
        <PasswordInput label="Password" autoComplete="current-password" {...form.field("password")} />
      </ActionForm>
    </div>
  );
}
