"use client";
/** One policy: when it is due next, how it ran, what it covers, what its retention does. */
import { Alert, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { type ReactNode, useState } from "react";
import { useCan } from "@/components/shell/viewer";
import { failureToProblem, type ServerAction } from "@/components/ui/action-result";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { ErrorPanel, ProblemPanel } from "@/components/ui/error-panel";
import { KeyValues } from "@/components/ui/key-values";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { BlockSkeleton, HeaderSkeleton, RowsSkeleton } from "@/components/ui/skeletons";
import { UnreadPage } from "@/components/ui/unread-page";
import { useAction } from "@/components/ui/use-action";
import { apiGet } from "@/lib/api-client";
import { formatDuration, plural } from "@/lib/format";
import { policyKeys } from "@/lib/policies/query-keys";
import type { PolicyDto, PolicyRunDto, Simulation } from "@/lib/policies/schema";
import { NextRuns } from "./next-runs";
import classes from "./policies.module.css";
import { PolicyRuns } from "./policy-runs";
import { retentionWords, runWord, scheduleWords, verificationWords } from "./policy-words";
import { SimulationView } from "./simulation-view";

type Change = ServerAction<{ policy: string }, PolicyDto>;

export interface PolicyActions {
  run: ServerAction<{ policy: string }, PolicyRunDto>;
  pause: Change;
  resume: Change;
  archive: Change;
}

const TRAIL = [{ label: "Policies", href: "/policies" }];

export function PolicyPage({ name, actions }: { name: string; actions: PolicyActions }) {
  const query = useQuery({
    queryKey: policyKeys.one(name),
    queryFn: ({ signal }) => apiGet<PolicyDto>(`policies/${encodeURIComponent(name)}`, {}, signal),
    refetchInterval: ({ state }) => (state.data?.lastRun?.state === "running" ? 5000 : false),
  });
  const policy = query.data;
  if (!policy) {
    if (query.error) return <UnreadPage what="policy" name={name} trail={TRAIL} query={query} />;
    return (
      <>
        <HeaderSkeleton trail={TRAIL} title={name} />
        <BlockSkeleton height={120} />
        <Section title="Runs">
          <RowsSkeleton rows={5} />
        </Section>
      </>
    );
  }
  return (
    <>
      <PageHeader
        trail={TRAIL}
        title={titleOf(policy)}
        facts={[
          `${scheduleWords(policy.schedule)}, ${policy.zone}`,
          plural(policy.covers.length, "database"),
          policy.destinations.join(", "),
        ]}
        actions={
          policy.archivedAt ? null : (
            <Actions policy={policy} actions={actions} onDone={() => void query.refetch()} />
          )
        }
      />
      {policy.archivedAt ? (
        <Alert color="unknown" mb="md" title="Archived">
          It runs no more. Its backups stay until another policy or somebody deletes them.
        </Alert>
      ) : null}
      {policy.pausedAt ? (
        <Alert color="warning" mb="md" title={`Paused by ${policy.pausedBy ?? "somebody"}`}>
          Its databases are not backed up, and nothing of it is deleted. Paused{" "}
          <RelativeTime at={policy.pausedAt} />.
        </Alert>
      ) : null}
      <div className={classes.columns}>
        <Section title="Next runs">
          <Panel padded>
            <NextRuns runs={policy.nextRuns} zone={policy.zone} />
          </Panel>
        </Section>
        <Section title="Plan">
          <Panel>
            <Plan policy={policy} />
          </Panel>
        </Section>
      </div>
      <PolicyRuns name={policy.name} />
      <Retention policy={policy} />
    </>
  );
}

function titleOf({ name, archivedAt, pausedAt, lastRun }: PolicyDto): TitlePart[] {
  if (archivedAt) return [{ text: `${name} is archived.` }];
  if (pausedAt) return [{ text: `${name} is ` }, { text: "paused.", tone: "warning" }];
  if (!lastRun) return [{ text: `${name} has not run yet.` }];
  if (lastRun.state === "running" || lastRun.state === "due") return [{ text: `${name} is running.` }];
  const { tone, word } = runWord(lastRun.state);
  const passive = lastRun.state === "missed" || lastRun.state === "skipped";
  const told = tone === "problem" || tone === "warning" ? tone : "plain";
  return [{ text: `${name}: its last run ` }, { text: `${passive ? "was " : ""}${word}.`, tone: told }];
}

function Plan({ policy }: { policy: PolicyDto }) {
  const { blackouts, jitterSeconds } = policy;
  return (
    <KeyValues
      items={[
        [
          "Covers",
          policy.covers.length === 0
            ? "no database"
            : policy.covers.map((database, index) => (
                <span key={database}>
                  {index > 0 ? ", " : ""}
                  <Link href={`/databases/${database}`} prefetch={false}>
                    {database}
                  </Link>
                </span>
              )),
        ],
        ...(policy.patterns.length > 0
          ? [["Patterns", <code key="patterns">{policy.patterns.join(" ")}</code>] as [string, ReactNode]]
          : []),
        ["Destinations", policy.destinations.join(", ")],
        ["Keeps", `${retentionWords(policy.retention)}; always the newest ${policy.retention.proven} proven`],
        ["Proves", verificationWords(policy.verification)],
        [
          "Missed runs",
          policy.missed === "catch_up" ? "the newest is made up for" : "wait for the next time",
        ],
        ...(jitterSeconds > 0
          ? [["Spread", `up to ${formatDuration(jitterSeconds)}`] as [string, ReactNode]]
          : []),
        ...(blackouts.length > 0
          ? [
              ["Blackouts", blackouts.map(({ from, to }) => `${from} to ${to}`).join(", ")] as [
                string,
                ReactNode,
              ],
            ]
          : []),
        [
          "Backups",
          <Link key="all" href={`/backups?policy=${policy.name}`}>
            All that it made
          </Link>,
        ],
      ]}
    />
  );
}

function Actions({
  policy,
  actions,
  onDone,
}: {
  policy: PolicyDto;
  actions: PolicyActions;
  onDone: () => void;
}) {
  const mayWrite = useCan("policy.write");
  const mayRun = useCan("policy.run");
  const [asking, setAsking] = useState<"run" | "archive" | null>(null);
  const change = useAction(policy.pausedAt ? actions.resume : actions.pause);
  const run = useAction(actions.run);
  const archive = useAction(actions.archive);
  const input = { policy: policy.id };
  const close = () => {
    run.clear();
    archive.clear();
    setAsking(null);
  };
  return (
    <>
      {mayWrite ? (
        <>
          <Button variant="default" onClick={() => setAsking("archive")}>
            Archive…
          </Button>
          <Button
            variant="default"
            loading={change.pending}
            onClick={async () => {
              if (await change.run(input)) onDone();
            }}
          >
            {policy.pausedAt ? "Resume" : "Pause"}
          </Button>
          <Button component={Link} href={`/policies/${policy.name}/edit`} variant="default">
            Edit
          </Button>
        </>
      ) : null}
      {mayRun ? <Button onClick={() => setAsking("run")}>Run now…</Button> : null}
      {change.failure ? (
        <ProblemPanel title="It was not changed" problem={failureToProblem(change.failure)} />
      ) : null}
      <ConfirmDialog
        opened={asking === "run"}
        onClose={close}
        title={`Run ${policy.name} now?`}
        confirmLabel="Run it"
        pending={run.pending}
        failure={run.failure}
        onConfirm={async () => {
          if (!(await run.run(input))) return;
          close();
          onDone();
        }}
      >
        <p>
          {plural(policy.covers.length, "database")} {policy.covers.length === 1 ? "is" : "are"} backed up to{" "}
          {policy.destinations.join(", ")}, beside the runs of its schedule. Its retention then deletes what
          it keeps no longer.
        </p>
      </ConfirmDialog>
      <ConfirmDialog
        opened={asking === "archive"}
        onClose={close}
        title={`Archive ${policy.name}?`}
        confirmLabel="Archive it"
        danger
        pending={archive.pending}
        failure={archive.failure}
        onConfirm={async () => {
          if (!(await archive.run(input))) return;
          close();
          onDone();
        }}
      >
        <p>It runs no more, and can't be brought back. Its backups stay, and can be proven and restored.</p>
      </ConfirmDialog>
    </>
  );
}

/** What would go if its retention acted now. */
function Retention({ policy }: { policy: PolicyDto }) {
  const query = useQuery({
    queryKey: policyKeys.simulation(policy.id),
    queryFn: ({ signal }) => apiGet<Simulation>(`policies/${policy.id}/simulation`, {}, signal),
  });
  return (
    <Section title="Retention" note="on the backups that there are; it acts after each run">
      {query.data ? (
        <Panel padded>
          <SimulationView simulation={query.data} />
        </Panel>
      ) : query.error ? (
        <ErrorPanel error={query.error} onRetry={() => void query.refetch()} retrying={query.isFetching} />
      ) : (
        <BlockSkeleton height={80} />
      )}
    </Section>
  );
}
