"use client";
/** What changes a member's way in; each is asked about first, with what it does to them. */
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { type ActionFailure, failureToProblem } from "@/components/ui/action-result";
import { CodeBlock } from "@/components/ui/code-block";
import { ProblemPanel } from "@/components/ui/error-panel";
import { useAction } from "@/components/ui/use-action";
import { plural } from "@/lib/format";
import type { MemberDto } from "@/lib/members/schema";
import classes from "../settings.module.css";
import type { MemberActions } from "./member-actions";
import { useMemberTokens } from "./member-tokens";

type Question = "password" | "totp" | "sessions" | "disable";

interface Props {
  member: MemberDto;
  actions: MemberActions;
  onClose: () => void;
  onChanged: () => void;
}

export function MemberAccess({ member, actions, onClose, onChanged }: Props) {
  const [asking, setAsking] = useState<Question | null>(null);
  const [password, setPassword] = useState<string>();
  const [done, setDone] = useState<string>();
  const reset = useAction(actions.resetPassword);
  const resetTotp = useAction(actions.resetTotp);
  const end = useAction(actions.endSessions);
  const update = useAction(actions.update);
  const tokens =
    useMemberTokens(member.id).data?.items.filter((token) => token.state === "works").length ?? 0;
  const disabled = member.disabledAt !== null;
  const ask = (question: Question) => {
    setDone(undefined);
    setAsking(question);
  };
  const finish = (words: string) => {
    setAsking(null);
    setDone(words);
    onChanged();
  };
  const setDisabled = async (value: boolean) => {
    if (!(await update.run({ member: member.id, disabled: value }))) return;
    onChanged();
    onClose();
  };
  const cancel = () => setAsking(null);
  return (
    <section className={classes.dialogPart}>
      <h3>Access</h3>
      {password ? (
        <>
          <p className={classes.note}>
            Hand this temporary password over. It must be changed at the next sign-in.
          </p>
          <CodeBlock code={password} label="Copy the password" />
        </>
      ) : null}
      {done ? <p role="status">{done}</p> : null}
      {asking === "password" ? (
        <Ask
          question={`Reset the password of ${member.name}?`}
          label="Reset it"
          action={reset}
          onCancel={cancel}
          onConfirm={async () => {
            const made = await reset.run({ member: member.id });
            if (!made) return;
            setPassword(made.temporaryPassword);
            finish("The password is reset, and all sessions have ended.");
          }}
        >
          The present one stops working and all sessions end. You get a temporary one to hand over.
        </Ask>
      ) : asking === "totp" ? (
        <Ask
          question={`Turn off the second factor of ${member.name}?`}
          label="Turn it off"
          danger
          action={resetTotp}
          onCancel={cancel}
          onConfirm={async () => {
            if (await resetTotp.run({ member: member.id })) finish("The second factor is off.");
          }}
        >
          The password alone signs them in until they set up a new one. Make sure that it is they who ask.
        </Ask>
      ) : asking === "sessions" ? (
        <Ask
          question={`End all sessions of ${member.name}?`}
          label="End them"
          action={end}
          onCancel={cancel}
          onConfirm={async () => {
            if (await end.run({ member: member.id })) finish("All sessions have ended.");
          }}
        >
          They have to sign in again, everywhere.
        </Ask>
      ) : asking === "disable" ? (
        <Ask
          question={`Disable ${member.name}?`}
          label="Disable"
          danger
          action={update}
          onCancel={cancel}
          onConfirm={() => setDisabled(true)}
        >
          All sessions and open invitations of theirs end at once.{" "}
          {tokens > 0
            ? `${plural(tokens, "API token")} of theirs ${tokens === 1 ? "stops" : "stop"} working until they are enabled again.`
            : null}
        </Ask>
      ) : (
        <div className={classes.choices}>
          <Button variant="default" onClick={() => ask("password")}>
            Reset the password…
          </Button>
          {member.totp ? (
            <Button variant="default" onClick={() => ask("totp")}>
              Turn off the second factor…
            </Button>
          ) : null}
          <Button variant="default" onClick={() => ask("sessions")}>
            End all sessions…
          </Button>
          {disabled ? (
            <Button variant="default" loading={update.pending} onClick={() => void setDisabled(false)}>
              Enable
            </Button>
          ) : (
            <Button color="problem" onClick={() => ask("disable")}>
              Disable…
            </Button>
          )}
          {disabled && update.failure ? (
            <ProblemPanel title="It was not done" problem={failureToProblem(update.failure)} />
          ) : null}
        </div>
      )}
    </section>
  );
}

/** Asks inside the dialog: another dialog above it would hide whom it is about. */
function Ask({
  question,
  label,
  danger = false,
  action,
  onConfirm,
  onCancel,
  children,
}: {
  question: string;
  label: string;
  danger?: boolean;
  action: { pending: boolean; failure: ActionFailure | null };
  onConfirm: () => Promise<void>;
  onCancel: () => void;
  children: ReactNode;
}) {
  return (
    <section className={classes.ask} aria-label={question}>
      <strong>{question}</strong>
      <p>{children}</p>
      {action.failure ? (
        <ProblemPanel title="It was not done" problem={failureToProblem(action.failure)} />
      ) : null}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onCancel} autoFocus>
          Cancel
        </Button>
        <Button
          {...(danger ? { color: "problem" } : {})}
          loading={action.pending}
          onClick={() => void onConfirm()}
        >
          {label}
        </Button>
      </div>
    </section>
  );
}
