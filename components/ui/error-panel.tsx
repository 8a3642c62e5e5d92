"use client";
/** What happened, why, what to do, the request id and a way to try again. `error` is anything thrown. */
import { Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { type ApiProblem, toProblem } from "@/lib/api-client";
import { CopyButton } from "./copy-button";
import classes from "./error-panel.module.css";

export function ErrorPanel({
  title = "This could not be read",
  error,
  onRetry,
  retrying = false,
}: {
  title?: string;
  error: unknown;
  onRetry?: () => void;
  retrying?: boolean;
}) {
  const problem = toProblem(error);
  return (
    <ProblemPanel title={title} problem={problem}>
      {onRetry ? (
        <Button variant="default" size="xs" onClick={onRetry} loading={retrying}>
          Try again
        </Button>
      ) : null}
    </ProblemPanel>
  );
}

/** The same for a problem that is already known, such as a failed action's. */
export function ProblemPanel({
  title,
  problem,
  children,
}: {
  title: string;
  problem: Pick<ApiProblem, "message" | "remedy" | "requestId">;
  children?: ReactNode;
}) {
  return (
    <div role="alert" className={classes.panel}>
      <IconAlertTriangle size={18} stroke={1.9} aria-hidden className={classes.icon} />
      <div className={classes.words}>
        <p className={classes.title}>{title}</p>
        <p>{problem.message}</p>
        {problem.remedy ? <p className={classes.remedy}>{problem.remedy}</p> : null}
        {problem.requestId ? (
          <p className={classes.id}>
            Request <code>{problem.requestId}</code>
            <CopyButton value={problem.requestId} label="Copy the request id" />
          </p>
        ) : null}
        {children ? <div className={classes.actions}>{children}</div> : null}
      </div>
    </div>
  );
}
