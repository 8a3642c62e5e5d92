"use client";
import Link from "next/link";
import { useActiveOperations } from "@/components/live/use-active-operations";
import { ProgressLine } from "@/components/ui/progress";
import { Panel, Section } from "@/components/ui/section";
import { operationWord } from "@/components/ui/state-words";
import { StateBadge } from "@/components/ui/status";
import { plural } from "@/lib/format";
import type { OperationItem } from "@/lib/operations/schema";
import classes from "./overview.module.css";

const SHOWN = 6;

/** What is under way, followed closely; of one environment only what the Overview says. */
export function RunningList({
  fromOverview,
  filtered,
}: {
  fromOverview: OperationItem[];
  filtered: boolean;
}) {
  const { data } = useActiveOperations();
  const known = new Set(fromOverview.map((operation) => operation.id));
  const live = data?.items.filter((operation) => !filtered || known.has(operation.id));
  const items = live ?? fromOverview;
  const shown = items.slice(0, SHOWN);
  return (
    <Section title="Running" note={items.length > SHOWN ? plural(items.length, "operation") : undefined}>
      <Panel>
        {shown.length === 0 ? (
          <p className={classes.nothing}>Nothing is running.</p>
        ) : (
          <ul className={classes.running}>
            {shown.map((operation) => (
              <RunningItem key={operation.id} operation={operation} />
            ))}
          </ul>
        )}
        {items.length > SHOWN ? (
          <div className={classes.more}>
            <Link href="/operations?state=active">Show all {items.length}</Link>
          </div>
        ) : null}
      </Panel>
    </Section>
  );
}

function RunningItem({ operation }: { operation: OperationItem }) {
  const { tone, word } = operationWord(operation.state);
  const queued = operation.state === "queued";
  return (
    <li>
      <div className={classes.runningHead}>
        <Link href={`/operations/${operation.id}`}>{operation.title}</Link>
        <StateBadge tone={tone}>
          {operation.progress?.label && !queued ? operation.progress.label : word}
        </StateBadge>
      </div>
      {queued ? (
        <p className={classes.attentionDetail}>{operation.waitsFor ?? "waits for a worker"}</p>
      ) : (
        <ProgressLine
          progress={operation.progress ? { ...operation.progress, label: "" } : null}
          label={`Progress of ${operation.title}`}
        />
      )}
    </li>
  );
}
