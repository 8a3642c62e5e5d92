"use client";
/** Holding and deleting a backup: what is decided about it, and the buttons. */
import { Alert, Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { failureToProblem, type ServerAction } from "@/components/ui/action-result";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Dialog } from "@/components/ui/dialog";
import { ProblemPanel } from "@/components/ui/error-panel";
import { ActionForm, useActionForm } from "@/components/ui/form";
import { RelativeTime } from "@/components/ui/relative-time";
import { useAction } from "@/components/ui/use-action";
import type { BackupDto } from "@/lib/backups/schema";
import type { OperationItem } from "@/lib/operations/schema";

export interface KeepingActions {
  pin: ServerAction<{ backup: string; reason: string }, BackupDto>;
  unpin: ServerAction<{ backup: string }, BackupDto>;
  remove: ServerAction<{ backup: string }, OperationItem>;
}

/** Why it stays, or that it is gone. */
export function BackupKeeping({ backup: { pin, removal } }: { backup: BackupDto }) {
  if (removal) {
    return (
      <Alert color="unknown" mb="md" title={removal.removedAt ? "Deleted" : "Being deleted"}>
        {removal.reason}{" "}
        {removal.removedAt ? (
          <>
            Its objects are gone from every destination since <RelativeTime at={removal.removedAt} />; this
            record stays.
          </>
        ) : (
          <>
            Not every destination has let go of it yet.
            {removal.retryAt ? (
              <>
                {" "}
                Tried again <RelativeTime at={removal.retryAt} />.
              </>
            ) : null}
          </>
        )}
      </Alert>
    );
  }
  if (!pin) return null;
  return (
    <Alert color="sea" mb="md" title={`Pinned by ${pin.by}`}>
      <q>{pin.reason}</q>, <RelativeTime at={pin.at} />. Nothing deletes it until it is unpinned.
    </Alert>
  );
}

export function KeepingButtons({
  backup,
  may,
  actions,
  onDone,
}: {
  backup: BackupDto;
  may: { pin: boolean; remove: boolean };
  actions: KeepingActions;
  onDone: () => void;
}) {
  const [asking, setAsking] = useState<"pin" | "remove" | null>(null);
  const unpin = useAction(actions.unpin);
  const remove = useAction(actions.remove);
  const close = () => {
    remove.clear();
    setAsking(null);
  };
  return (
    <>
      {may.remove && !backup.pin ? (
        <Button variant="default" onClick={() => setAsking("remove")}>
          Delete…
        </Button>
      ) : null}
      {may.pin && backup.pin ? (
        <Button
          variant="default"
          loading={unpin.pending}
          onClick={async () => {
            if (await unpin.run({ backup: backup.id })) onDone();
          }}
        >
          Unpin
        </Button>
      ) : null}
      {may.pin && !backup.pin ? (
        <Button variant="default" onClick={() => setAsking("pin")}>
          Pin…
        </Button>
      ) : null}
      {unpin.failure ? (
        <ProblemPanel title="It was not unpinned" problem={failureToProblem(unpin.failure)} />
      ) : null}
      <Dialog opened={asking === "pin"} onClose={close} title="Pin this backup">
        {asking === "pin" ? (
          <PinForm
            backup={backup.id}
            pin={actions.pin}
            onDone={() => {
              close();
              onDone();
            }}
          />
        ) : null}
      </Dialog>
      <ConfirmDialog
        opened={asking === "remove"}
        onClose={close}
        title={`Delete this backup of ${backup.database}?`}
        confirmLabel="Delete it"
        danger
        typeName={backup.database}
        pending={remove.pending}
        failure={remove.failure}
        onConfirm={async () => {
          if (!(await remove.run({ backup: backup.id }))) return;
          close();
          onDone();
        }}
      >
        <p>
          Its objects are deleted at {backup.copies.map(({ destination }) => destination).join(", ")}, and
          can't be brought back. The record that it was there, and its proof, stay.
        </p>
      </ConfirmDialog>
    </>
  );
}

function PinForm({
  backup,
  pin,
  onDone,
}: {
  backup: string;
  pin: KeepingActions["pin"];
  onDone: () => void;
}) {
  const form = useActionForm({
    initial: { reason: "" },
    action: pin,
    toInput: ({ reason }) => ({ backup, reason }),
    onDone,
  });
  return (
    <ActionForm form={form} submitLabel="Pin it">
      <Textarea
        label="Why it is kept"
        description="For whoever wonders later. Nothing deletes it until it is unpinned."
        data-autofocus
        {...form.field("reason")}
      />
    </ActionForm>
  );
}
