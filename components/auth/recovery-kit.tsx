"use client";
/**
 * The recovery kit: made on request, shown once, printed or copied, then confirmed by typing its ending. It may be
 * left for later; until it is confirmed, Recoverable stays amber.
 */
import { Button, TextInput } from "@mantine/core";
import { IconPrinter } from "@tabler/icons-react";
import Link from "next/link";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { CodeBlock } from "@/components/ui/code-block";
import { ActionForm, FormBanner, useActionForm } from "@/components/ui/form";
import { KeyValues } from "@/components/ui/key-values";
import { Moment } from "@/components/ui/relative-time";
import { useAction } from "@/components/ui/use-action";
import type { RecoveryKit } from "@/lib/keys/schema";
import { AuthHeading } from "./auth-frame";
import classes from "./recovery-kit.module.css";

export function RecoveryKitSteps({
  make,
  confirm,
  replaces,
}: {
  make: ServerAction<undefined, RecoveryKit>;
  confirm: ServerAction<{ ending: string }, unknown>;
  /** A kit exists already; a new one takes its place for new backups. */
  replaces: boolean;
}) {
  const [kit, setKit] = useState<RecoveryKit | null>(null);
  const making = useAction(make);
  if (kit) return <Kit kit={kit} confirm={confirm} />;
  return (
    <>
      <AuthHeading title="Keep a way back">
        Backups are encrypted to this server's key and to a recovery key that only you hold. With the recovery
        kit they open with stock tools even if this server is gone. Without it, losing the server's key folder
        means losing every backup.
      </AuthHeading>
      {replaces ? (
        <p className={classes.text}>
          There is a kit already. A new one is used for backups made from now on; keep the old one for the
          older ones.
        </p>
      ) : null}
      <FormBanner failure={making.failure} title="No kit was made" />
      <div className={classes.actions}>
        <Button
          aria-disabled={making.pending || undefined}
          onClick={async () => {
            const made = await making.run(undefined);
            if (made) setKit(made);
          }}
        >
          Make the recovery kit
        </Button>
        <Button component={Link} href="/" variant="default">
          Later, in Settings
        </Button>
      </div>
    </>
  );
}

function Kit({ kit, confirm }: { kit: RecoveryKit; confirm: ServerAction<{ ending: string }, unknown> }) {
  const form = useActionForm({
    initial: { ending: "" },
    action: confirm,
    onDone: () => window.location.assign("/"),
  });
  return (
    <div data-wide className={classes.kit}>
      <AuthHeading title="Holdfast recovery kit">
        Shown once and not stored. Print it or put it into your password manager, away from this server.
      </AuthHeading>
      <KeyValues
        items={[
          ["Install", <code key="install">{kit.installId}</code>],
          ["Made", <Moment key="made" at={kit.createdAt} />],
          ["Recipient", <code key="recipient">{kit.recipient}</code>],
        ]}
      />
      <h2 className={classes.subtitle}>Recovery identity</h2>
      <CodeBlock code={kit.identity} label="Copy the identity" />
      <h2 className={classes.subtitle}>How to open a backup with it</h2>
      <CodeBlock code={kit.commands.join("\n")} label="Copy the commands" />
      <div className={classes.screenOnly}>
        <Button variant="default" leftSection={<IconPrinter size={16} />} onClick={() => window.print()}>
          Print
        </Button>
        <ActionForm
          form={form}
          submitLabel="I have it"
          secondary={
            <Button component={Link} href="/" variant="subtle" color="unknown">
              Confirm later
            </Button>
          }
        >
          <TextInput
            label="Last 8 characters of the identity"
            description="Read them from your copy, so that it is known to be readable."
            autoComplete="off"
            spellCheck={false}
            {...form.field("ending")}
          />
        </ActionForm>
      </div>
    </div>
  );
}
