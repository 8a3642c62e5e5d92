"use client";
/** One operation: how it stands, its steps, its log while it happens, and what it belongs to. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { ProblemPanel } from "@/components/ui/error-panel";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { ProgressLine } from "@/components/ui/progress";
import { Elapsed, Moment, RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { BlockSkeleton, HeaderSkeleton, RowsSkeleton } from "@/components/ui/skeletons";
import { finalStates } from "@/components/ui/state-lists";
import { actorWords, operationWord } from "@/components/ui/state-words";
import { UnreadPage } from "@/components/ui/unread-page";
import { useAction } from "@/components/ui/use-action";
import { apiGet } from "@/lib/api-client";
import { operationKeys } from "@/lib/operations/query-keys";
import type { OperationDto, OperationItem } from "@/lib/operations/schema";
import { OperationLog } from "./operation-log";
import classes from "./operation-page.module.css";
import { RelatedOperations } from "./related-operations";
import { StepTimeline } from "./step-timeline";

const TRAIL = [{ label: "Operations", href: "/operations" }];

function titleOf(operation: OperationDto): TitlePart[] {
  const { tone, word } = operationWord(operation.state);
  const coloured = tone === "problem" || tone === "warning" ? { tone } : {};
  return [{ text: `${operation.title}: ` }, { text: word, ...coloured }];
}

/** A request id that the remedy names already is not repeated. */
function withoutEcho(error: NonNullable<OperationDto["error"]>) {
  const named = error.requestId !== null && error.remedy?.includes(error.requestId);
  return named ? { ...error, requestId: null } : error;
}

/** What cancelling really does, by kind. */
function cancelConsequence(kind: string): string {
  if (kind === "backup.restore") {
    return "The restore stops. The database that it would have replaced stays as it is; what was restored so far is removed.";
  }
  if (kind === "backup.run")
    return "The dump stops and everything written so far is removed. Earlier backups stay.";
  if (kind === "backup.copy")
    return "The copying stops and what was written so far is removed. The copies that are there stay.";
  if (kind === "backup.delete")
    return "The deleting stops for now. What is half deleted is no backup any more, and is deleted later.";
  return "The work stops, and what it made so far is removed.";
}

export function OperationPage({
  id,
  mayCancel,
  cancel,
}: {
  id: string;
  mayCancel: boolean;
  cancel: ServerAction<string, OperationItem>;
}) {
  const query = useQuery({
    queryKey: operationKeys.one(id),
    queryFn: ({ signal }) => apiGet<OperationDto>(`operations/${id}`, {}, signal),
    refetchInterval: ({ state }) => (state.data && finalStates.includes(state.data.state) ? false : 5000),
  });
  const [asking, setAsking] = useState(false);
  const action = useAction(cancel);
  const operation = query.data;
  if (!operation) {
    if (query.error) return <UnreadPage what="operation" trail={TRAIL} query={query} />;
    return (
      <>
        <HeaderSkeleton trail={TRAIL} />
        <Section title="Steps">
          <RowsSkeleton rows={4} />
        </Section>
        <Section title="Log">
          <BlockSkeleton height={120} />
        </Section>
      </>
    );
  }
  const running = !finalStates.includes(operation.state);
  return (
    <>
      <PageHeader
        trail={TRAIL}
        title={titleOf(operation)}
        facts={[
          operation.error ? null : operation.reason,
          `asked for by ${actorWords(operation.actor)}`,
          <RelativeTime key="at" at={operation.createdAt} />,
          operation.startedAt ? (
            <>
              took <Elapsed from={operation.startedAt} to={operation.finishedAt} />
            </>
          ) : null,
          operation.attempt > 1 ? `attempt ${operation.attempt} of ${operation.maxAttempts}` : null,
          operation.worker ? `on ${operation.worker}` : null,
        ]}
        actions={
          <>
            {operation.backupId ? (
              <Button component={Link} href={`/backups/${operation.backupId}`} variant="default">
                Open the backup
              </Button>
            ) : null}
            {mayCancel && operation.cancellable ? (
              <Button variant="default" onClick={() => setAsking(true)}>
                Cancel…
              </Button>
            ) : null}
          </>
        }
      />
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Cancel "${operation.title}"?`}
        confirmLabel="Cancel it"
        pending={action.pending}
        failure={action.failure}
        danger
        onConfirm={async () => {
          if (await action.run(operation.id)) {
            setAsking(false);
            await query.refetch();
          }
        }}
      >
        <p>{cancelConsequence(operation.kind)}</p>
      </ConfirmDialog>
      {operation.error ? <ProblemPanel title="Why it ended" problem={withoutEcho(operation.error)} /> : null}
      {running && operation.progress ? (
        <Section title="Now">
          <Panel padded>
            <ProgressLine progress={operation.progress} label={operation.title} />
          </Panel>
        </Section>
      ) : null}
      <Section title="Steps">
        <Panel padded>
          <StepTimeline operation={operation} />
        </Panel>
      </Section>
      <OperationLog id={operation.id} />
      {operation.related.length > 0 ? <RelatedOperations items={operation.related} /> : null}
      <Section title="Every change of state" note="with its reason">
        <Panel>
          <ol className={classes.transitions}>
            {operation.transitions.map((change, index) => (
              <li key={`${change.at}${change.state}`}>
                <span>
                  <Moment at={change.at} />
                  {index > 0 ? (
                    <span className={classes.reason}>
                      {" "}
                      + <Elapsed from={operation.createdAt} to={change.at} />
                    </span>
                  ) : null}
                </span>
                <span>{operationWord(change.state).word}</span>
                <span className={classes.reason}>{change.reason}</span>
              </li>
            ))}
          </ol>
        </Panel>
      </Section>
    </>
  );
}
