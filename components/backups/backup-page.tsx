"use client";
/** One backup: its finding, figures, proof table by table, copies, and how to restore it without Holdfast. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { type ReactNode, useState } from "react";
import { engineLabel } from "@/components/databases/engine-label";
import { OperationLog } from "@/components/operations/operation-log";
import type { ServerAction } from "@/components/ui/action-result";
import { failureToProblem } from "@/components/ui/action-result";
import { CodeBlock } from "@/components/ui/code-block";
import { EmptyState } from "@/components/ui/empty-state";
import { ProblemPanel } from "@/components/ui/error-panel";
import { lazyDialog } from "@/components/ui/lazy-dialog";
import { PageHeader } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { BlockSkeleton, HeaderSkeleton, RowsSkeleton } from "@/components/ui/skeletons";
import { UnreadPage } from "@/components/ui/unread-page";
import { useAction } from "@/components/ui/use-action";
import { apiGet } from "@/lib/api-client";
import { backupKeys } from "@/lib/backups/query-keys";
import type { BackupDto } from "@/lib/backups/schema";
import type { OperationItem } from "@/lib/operations/schema";
import { BackupCopies } from "./backup-copies";
import { BackupFigures } from "./backup-figures";
import { backupFinding } from "./backup-finding";
import { BackupKeeping, type KeepingActions, KeepingButtons } from "./backup-keeping";
import { BackupRunning } from "./backup-running";
import type { CheckPassword } from "./download-dialog";
import { ProofChecks } from "./proof-checks";
import { ProofHistory } from "./proof-history";
import { ProofLevels } from "./proof-levels";
import { ProofTables } from "./proof-tables";

const DownloadDialog = lazyDialog(() => import("./download-dialog"));

export interface BackupRights {
  verify: boolean;
  copy: boolean;
  restore: boolean;
  download: boolean;
  pin: boolean;
  remove: boolean;
}
export type VerifyBackup = ServerAction<{ backup: string; destination?: string }, OperationItem>;
export type CopyBackup = ServerAction<{ backup: string; destination?: string }, OperationItem>;

const TRAIL = [{ label: "Backups", href: "/backups" }];

function BackupSkeleton() {
  return (
    <>
      <HeaderSkeleton trail={TRAIL} />
      <BlockSkeleton height={54} />
      <Section title="Proof">
        <BlockSkeleton height={46} />
      </Section>
      <Section title="Copies">
        <RowsSkeleton rows={2} />
      </Section>
    </>
  );
}

export function BackupPage({
  id,
  rights,
  verify,
  copy,
  keeping,
  checkPassword,
}: {
  id: string;
  rights: BackupRights;
  verify: VerifyBackup;
  copy: CopyBackup;
  keeping: KeepingActions;
  checkPassword: CheckPassword;
}) {
  const query = useQuery({
    queryKey: backupKeys.one(id),
    queryFn: ({ signal }) => apiGet<BackupDto>(`backups/${id}`, {}, signal),
    refetchInterval: ({ state }) =>
      state.data?.state === "running" ||
      state.data?.verification ||
      state.data?.copying ||
      isGoing(state.data)
        ? 5000
        : false,
  });
  const action = useAction(verify);
  const [downloading, setDownloading] = useState(false);
  const backup = query.data;
  if (!backup) {
    if (!query.error) return <BackupSkeleton />;
    return <UnreadPage what="backup" trail={TRAIL} query={query} />;
  }
  const stored = backup.state === "complete" || backup.state === "partial";
  const { proof } = backup;
  const refetch = () => void query.refetch();
  return (
    <>
      <PageHeader
        trail={[...TRAIL, { label: backup.database, href: `/databases/${backup.database}` }]}
        title={backupFinding(backup)}
        facts={[
          <span key="at">
            Taken <RelativeTime at={backup.createdAt} />
          </span>,
          backup.environment,
          engineLabel(backup.engine, backup.engineVersion),
          backup.policy ? (
            <Link key="policy" href={`/policies/${backup.policy}`}>
              Policy {backup.policy}
            </Link>
          ) : null,
          backup.lastProvenBackup && backup.lastProvenBackup.id !== backup.id ? (
            <Link key="last" href={`/backups/${backup.lastProvenBackup.id}`}>
              Last proven backup
            </Link>
          ) : null,
        ]}
        actions={
          backup.state === "running" || backup.removal ? null : !stored ? (
            <Button component={Link} href={`/databases/${backup.database}`} variant="default">
              Open the database
            </Button>
          ) : (
            <>
              <KeepingButtons backup={backup} may={rights} actions={keeping} onDone={refetch} />
              {rights.verify ? (
                <Button
                  variant="default"
                  loading={action.pending}
                  disabled={backup.verification !== null}
                  onClick={async () => {
                    if (await action.run({ backup: id })) await query.refetch();
                  }}
                >
                  {proof ? "Prove again" : "Prove"}
                </Button>
              ) : null}
              {rights.download ? (
                <Button variant="default" onClick={() => setDownloading(true)}>
                  Download…
                </Button>
              ) : null}
              {rights.restore ? (
                <Button component={Link} href={`/backups/${id}/restore`}>
                  Restore…
                </Button>
              ) : null}
            </>
          )
        }
      />
      {action.failure ? (
        <ProblemPanel title="It was not started" problem={failureToProblem(action.failure)} />
      ) : null}
      <BackupKeeping backup={backup} />
      <BackupRunning backup={backup} />
      {stored ? (
        <>
          <BackupFigures backup={backup} />
          <Section
            title="Proof"
            note={proof ? proofNote(proof) : null}
            actions={proof ? <Link href={`/operations/${proof.operationId}`}>Steps and log</Link> : null}
          >
            <Panel>
              {proof ? (
                <ProofLevels proof={proof} />
              ) : (
                <EmptyState title="Not proven yet">
                  To prove it, it is restored into a throwaway server and compared with what was dumped.
                </EmptyState>
              )}
            </Panel>
          </Section>
        </>
      ) : null}
      {proof && (proof.tableCounts.equal > 0 || proof.tableCounts.different > 0) ? (
        <ProofTables backup={id} proof={proof} />
      ) : null}
      {proof ? <ProofChecks proof={proof} /> : null}
      <BackupCopies backup={backup} copy={rights.copy && !backup.removal ? copy : null} onStarted={refetch} />
      {backup.restoreCommands.length > 0 ? (
        <Section title="Restore without Holdfast" note="stock tools and your key are enough">
          <CodeBlock code={backup.restoreCommands.join("\n")} />
        </Section>
      ) : null}
      {backup.proofs.length > 1 ? <ProofHistory proofs={backup.proofs} /> : null}
      <OperationLog id={backup.operationId} title="Log of the dump" />
      <DownloadDialog
        check={checkPassword}
        backup={backup}
        opened={downloading}
        onClose={() => setDownloading(false)}
      />
    </>
  );
}

/** Its objects are being deleted. */
function isGoing(backup: BackupDto | undefined): boolean {
  return backup?.removal !== null && backup?.removal !== undefined && backup.removal.removedAt === null;
}

/** When and where it was proven; why not, when no server was started for it. */
function proofNote({ sandbox, reason, finishedAt }: NonNullable<BackupDto["proof"]>): ReactNode {
  const apart = sandbox?.isolation === "namespaces" ? ", isolated, no network" : "";
  const where = sandbox
    ? ` on a throwaway ${engineLabel(sandbox.engine, sandbox.version)}${apart}`
    : `: ${reason}`;
  return (
    <>
      <RelativeTime at={finishedAt} />
      {where}
    </>
  );
}
