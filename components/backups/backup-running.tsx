"use client";
/** Progress of what is being done to a backup now: the dump, its verification, the making of copies. */
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { ProgressLine } from "@/components/ui/progress";
import { Panel, Section } from "@/components/ui/section";
import { finalStates } from "@/components/ui/state-lists";
import { apiGet } from "@/lib/api-client";
import type { BackupDto } from "@/lib/backups/schema";
import { operationKeys } from "@/lib/operations/query-keys";
import type { OperationDto } from "@/lib/operations/schema";

export function BackupRunning({ backup }: { backup: BackupDto }) {
  const ids = [
    backup.state === "running" ? backup.operationId : null,
    backup.verification?.operationId,
    backup.copying?.operationId,
  ];
  return ids.map((id) => (id ? <RunningOperation key={id} id={id} /> : null));
}

function RunningOperation({ id }: { id: string }) {
  const { data: operation } = useQuery({
    queryKey: operationKeys.one(id),
    queryFn: ({ signal }) => apiGet<OperationDto>(`operations/${id}`, {}, signal),
    refetchInterval: 2000,
  });
  if (!operation || finalStates.includes(operation.state)) return null;
  return (
    <Section title={operation.title} actions={<Link href={`/operations/${id}`}>Steps and log</Link>}>
      <Panel padded>
        {operation.state === "queued" ? (
          <p>{operation.reason ?? "queued"}</p>
        ) : (
          <ProgressLine progress={operation.progress} label={operation.title} />
        )}
      </Panel>
    </Section>
  );
}
