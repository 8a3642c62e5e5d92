"use client";
/** What checking the chain found, or why it could not be checked. */
import { type ActionFailure, failureToProblem } from "@/components/ui/action-result";
import { ProblemPanel } from "@/components/ui/error-panel";
import { Panel, Section } from "@/components/ui/section";
import { Status } from "@/components/ui/status";
import type { AuditVerification } from "@/lib/audit/schema";
import { plural } from "@/lib/format";
import classes from "./chain-report.module.css";

export function ChainReport({
  result,
  failure,
}: {
  result: AuditVerification | undefined;
  failure: ActionFailure | null;
}) {
  if (failure) {
    return (
      <div className={classes.report}>
        <ProblemPanel title="The chain could not be checked" problem={failureToProblem(failure)} />
      </div>
    );
  }
  if (!result) return null;
  if (result.intact) {
    const waiting = result.unchained > 0 ? `, ${plural(result.unchained, "newer event")} not linked yet` : "";
    return (
      <div className={classes.report}>
        <Status tone="ok">
          The chain is whole: {plural(result.checked, "event")} checked{waiting}.
        </Status>
      </div>
    );
  }
  return (
    <Section title="Where the chain breaks">
      <Panel padded>
        <ul className={classes.breaks}>
          {result.breaks.map((entry) => (
            <li key={`${entry.seq} ${entry.eventId} ${entry.detail}`}>
              <Status tone="problem" detail={entry.eventId ? `event ${entry.eventId}` : undefined}>
                {entry.seq ? `Link ${entry.seq}: ${entry.detail}` : entry.detail}
              </Status>
            </li>
          ))}
        </ul>
        <p className={classes.advice}>
          Unless a manifest could not be read, somebody with access to the database changed it behind
          Holdfast. Compare with an export made earlier, or with the head of the chain in the manifest of an
          older backup.
        </p>
      </Panel>
    </Section>
  );
}
