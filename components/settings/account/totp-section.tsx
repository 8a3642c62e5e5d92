"use client";
/** Second factor: set up with a QR code, recovery codes shown once; each change asks for the password again. */
import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { CodeBlock } from "@/components/ui/code-block";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { lazyDialog } from "@/components/ui/lazy-dialog";
import { Panel, Section } from "@/components/ui/section";
import { Status } from "@/components/ui/status";
import { toast } from "@/components/ui/toast";
import { plural } from "@/lib/format";
import classes from "../settings.module.css";
import type { PasswordDialogProps } from "./password-dialog";
import { QrCode } from "./qr-code";

interface SetUp {
  secret: string;
  uri: string;
}
type WithPassword<T> = ServerAction<{ password: string }, T>;

export interface TotpActions {
  startTotp: WithPassword<SetUp>;
  confirmTotp: ServerAction<{ code: string }, { recoveryCodes: string[] }>;
  makeRecoveryCodes: WithPassword<{ recoveryCodes: string[] }>;
  disableTotp: WithPassword<unknown>;
}

const AskPassword = lazyDialog<PasswordDialogProps<unknown>>(
  () =>
    import("./password-dialog") as Promise<{ default: React.ComponentType<PasswordDialogProps<unknown>> }>,
);
/** With fewer left than this, a lost phone is soon a lost account. */
const FEW_CODES = 3;

export function TotpSection({
  codesLeft,
  actions,
  onChanged,
}: {
  /** null: no second factor. */
  codesLeft: number | null;
  actions: TotpActions;
  onChanged: () => void;
}) {
  const [setUp, setSetUp] = useState<SetUp>();
  const [codes, setCodes] = useState<string[]>();
  const showCodes = (made: string[]) => {
    setSetUp(undefined);
    setCodes(made);
    onChanged();
  };
  return (
    <Section title="Second factor">
      <Panel padded>
        {codes ? (
          <RecoveryCodes codes={codes} onDone={() => setCodes(undefined)} />
        ) : setUp ? (
          <ConfirmForm setUp={setUp} confirm={actions.confirmTotp} onDone={showCodes} />
        ) : codesLeft === null ? (
          <Without start={actions.startTotp} onStarted={setSetUp} />
        ) : (
          <With codesLeft={codesLeft} actions={actions} onCodes={showCodes} onChanged={onChanged} />
        )}
      </Panel>
    </Section>
  );
}

function Without({
  start,
  onStarted,
}: {
  start: TotpActions["startTotp"];
  onStarted: (made: SetUp) => void;
}) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <p className={classes.note}>
        With a second factor, a stolen password alone does not open this console and the data behind it.
      </p>
      <Button onClick={() => setAsking(true)}>Set up a second factor…</Button>
      <AskPassword
        opened={asking}
        onClose={() => setAsking(false)}
        title="Set up a second factor"
        why="Whoever sets it up decides who signs in from then on, so your password is asked for again."
        submitLabel="Go on"
        action={start}
        onDone={(made) => {
          setAsking(false);
          onStarted(made as SetUp);
        }}
      />
    </>
  );
}

function With({
  codesLeft,
  actions,
  onCodes,
  onChanged,
}: {
  codesLeft: number;
  actions: TotpActions;
  onCodes: (codes: string[]) => void;
  onChanged: () => void;
}) {
  const [asking, setAsking] = useState<"codes" | "off" | null>(null);
  const few = codesLeft < FEW_CODES;
  const close = () => setAsking(null);
  return (
    <>
      <div className={classes.states}>
        <Status tone="ok">A code from your authenticator app is asked for at each sign-in.</Status>
        <Status tone={few ? "warning" : "ok"}>
          {codesLeft === 0 ? "No recovery code is left" : `${plural(codesLeft, "recovery code")} left`}
          {few ? ": without your authenticator you would be locked out soon." : "."}
        </Status>
      </div>
      <div className={classes.choices}>
        <Button variant={few ? "filled" : "default"} onClick={() => setAsking("codes")}>
          New recovery codes…
        </Button>
        <Button variant="default" onClick={() => setAsking("off")}>
          Turn it off…
        </Button>
      </div>
      <AskPassword
        opened={asking === "codes"}
        onClose={close}
        title="New recovery codes"
        why="Ten new codes take the place of all earlier ones, which stop working."
        submitLabel="Make new codes"
        action={actions.makeRecoveryCodes}
        onDone={(made) => {
          close();
          onCodes((made as { recoveryCodes: string[] }).recoveryCodes);
        }}
      />
      <AskPassword
        opened={asking === "off"}
        onClose={close}
        title="Turn the second factor off?"
        why="From then on your password alone signs you in. The recovery codes stop working, too."
        submitLabel="Turn it off"
        danger
        action={actions.disableTotp}
        onDone={() => {
          close();
          void toast("The second factor is off.");
          onChanged();
        }}
      />
    </>
  );
}

function ConfirmForm({
  setUp,
  confirm,
  onDone,
}: {
  setUp: SetUp;
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
      <div className={classes.setUp}>
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
