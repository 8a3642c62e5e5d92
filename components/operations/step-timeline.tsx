"use client";
/** The steps of an operation in order, the newest attempt open and earlier ones folded. */
import { Elapsed } from "@/components/ui/relative-time";
import { finalStates } from "@/components/ui/state-lists";
import { operationWord } from "@/components/ui/state-words";
import { ToneIcon } from "@/components/ui/status";
import type { OperationDto } from "@/lib/operations/schema";
import classes from "./step-timeline.module.css";

type Step = OperationDto["steps"][number];

function Steps({ steps }: { steps: Step[] }) {
  return (
    <ol className={classes.steps}>
      {steps.map((step) => {
        const { tone, word } = operationWord(step.state);
        return (
          <li key={step.seq} data-tone={tone}>
            <span className={classes.icon}>
              <ToneIcon tone={tone} label={word} />
            </span>
            <span className={classes.name}>{step.name}</span>
            <span className={classes.time}>
              <Elapsed from={step.startedAt} to={step.finishedAt} />
            </span>
            {step.detail ? <span className={classes.detail}>{step.detail}</span> : null}
          </li>
        );
      })}
    </ol>
  );
}

export function StepTimeline({ operation }: { operation: OperationDto }) {
  const attempts = [...new Set(operation.steps.map((step) => step.attempt))].sort((a, b) => b - a);
  const [newest, ...earlier] = attempts;
  if (newest === undefined) {
    const waiting = finalStates.includes(operation.state)
      ? "It ended before its first step."
      : operation.reason;
    return <p className={classes.none}>{waiting ?? "It has not started yet."}</p>;
  }
  const of = (attempt: number) => operation.steps.filter((step) => step.attempt === attempt);
  return (
    <>
      <Steps steps={of(newest)} />
      {earlier.map((attempt) => (
        <details key={attempt} className={classes.earlier}>
          <summary>Attempt {attempt}</summary>
          <Steps steps={of(attempt)} />
        </details>
      ))}
    </>
  );
}
