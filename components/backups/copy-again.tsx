"use client";
/** The button beside a copy that is not good: has it made again from one that is. */
import { Button } from "@mantine/core";
import { failureToProblem } from "@/components/ui/action-result";
import { ProblemPanel } from "@/components/ui/error-panel";
import { useAction } from "@/components/ui/use-action";
import type { BackupDto } from "@/lib/backups/schema";
import type { CopyBackup } from "./backup-page";

export function CopyAgain({
  backup,
  row,
  copy,
  onStarted,
}: {
  backup: BackupDto;
  row: BackupDto["copies"][number];
  copy: CopyBackup;
  onStarted: () => void;
}) {
  const action = useAction(copy);
  return (
    <>
      <Button
        variant="default"
        size="compact-sm"
        loading={action.pending}
        disabled={backup.copying !== null}
        onClick={async () => {
          if (await action.run({ backup: backup.id, destination: row.destination })) onStarted();
        }}
      >
        Make this copy again
      </Button>
      {action.failure ? (
        <ProblemPanel title="It was not started" problem={failureToProblem(action.failure)} />
      ) : null}
    </>
  );
}
