"use client";
import { Button, type ButtonProps, Loader } from "@mantine/core";
import { useRouter } from "next/navigation";
import type { ServerAction } from "@/components/ui/action-result";
import { FormBanner } from "@/components/ui/form";
import { useAction } from "@/components/ui/use-action";
import type { BackupItem } from "@/lib/backups/schema";

export type BackUp = ServerAction<{ database: string }, BackupItem>;

/** Backs a database up (by its id) and goes to the new backup's page. */
export function BackUpButton({
  database,
  backUp,
  children = "Back up",
  ...button
}: { database: string; backUp: BackUp } & ButtonProps) {
  const router = useRouter();
  const { run, pending, failure } = useAction(backUp);
  async function start() {
    const made = await run({ database });
    if (made) router.push(`/backups/${made.id}`);
  }
  return (
    <>
      <Button
        {...button}
        onClick={() => void start()}
        aria-disabled={pending || undefined}
        leftSection={pending ? <Loader size={14} color="currentColor" /> : undefined}
      >
        {children}
      </Button>
      <FormBanner failure={failure} title="It was not started" />
    </>
  );
}
