"use client";
import { Button, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useCan } from "@/components/shell/viewer";
import type { ServerAction } from "@/components/ui/action-result";
import { FormBanner } from "@/components/ui/form";
import { useAction } from "@/components/ui/use-action";
import type { DatabaseDto } from "@/lib/databases/schema";
import type { OperationItem } from "@/lib/operations/schema";
import { type BackUp, BackUpButton } from "./back-up-button";
import { backupsOfQuery } from "./backups-of";

export interface ActionsOfDatabase {
  backUp: BackUp;
  prove: ServerAction<{ backup: string }, Pick<OperationItem, "id">>;
  preflight: ServerAction<{ database: string }, unknown>;
  archive: ServerAction<{ database: string }, unknown>;
  unarchive: ServerAction<{ database: string }, unknown>;
}

/** Back up, prove the newest backup, restore the newest proven one. What the role may not do is not offered. */
export function DatabaseActions({
  database,
  actions,
}: {
  database: DatabaseDto;
  actions: ActionsOfDatabase;
}) {
  const router = useRouter();
  const mayBackUp = useCan("backup.run");
  const mayProve = useCan("backup.verify");
  const mayRestore = useCan("backup.restore");
  const prove = useAction(actions.prove);
  const { data } = useQuery(backupsOfQuery(database.name));
  const whole =
    data?.items.filter((backup) => backup.state === "complete" || backup.state === "partial") ?? [];
  const newest = whole[0];
  const restorable = whole.find((backup) => backup.proof?.verdict === "proven") ?? newest;

  async function startProof(backup: string) {
    const operation = await prove.run({ backup });
    if (operation) router.push(`/operations/${operation.id}`);
  }
  return (
    <>
      {mayRestore && restorable ? (
        <Button component={Link} href={`/backups/${restorable.id}/restore`} variant="default">
          Restore…
        </Button>
      ) : null}
      {mayProve && newest ? (
        <Button
          variant="default"
          onClick={() => void startProof(newest.id)}
          aria-disabled={prove.pending || undefined}
          leftSection={prove.pending ? <Loader size={14} color="currentColor" /> : undefined}
        >
          Prove the newest
        </Button>
      ) : null}
      {mayBackUp ? <BackUpButton database={database.id} backUp={actions.backUp} /> : null}
      <FormBanner failure={prove.failure} title="It was not started" />
    </>
  );
}
