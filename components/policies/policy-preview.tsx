"use client";
/** Beside the editor: the next runs and what the retention would delete, of what is being typed. */
import { useEffect, useState } from "react";
import type { ActionFailure, ServerAction } from "@/components/ui/action-result";
import { callAction } from "@/components/ui/action-result";
import { Panel } from "@/components/ui/section";
import type { Simulation } from "@/lib/policies/schema";
import { NextRuns } from "./next-runs";
import classes from "./policies.module.css";
import type { SimulateInput } from "./policy-values";
import { SimulationView } from "./simulation-view";

export type Simulate = ServerAction<SimulateInput, Simulation>;

/** After the last change that long. */
const PAUSE_MS = 400;

export function PolicyPreview({ input, simulate }: { input: SimulateInput; simulate: Simulate }) {
  const { simulation, failure, stale } = useSimulation(input, simulate);
  return (
    <aside className={classes.preview} aria-label="Preview" data-stale={stale || undefined} aria-busy={stale}>
      <Panel padded>
        <h2>Next runs</h2>
        {failure ? (
          <p className={classes.quiet}>{Object.values(failure.fields ?? {})[0] ?? failure.message}</p>
        ) : null}
        {simulation ? (
          <>
            <NextRuns runs={simulation.nextRuns} zone={simulation.zone} />
            <h2>Its retention, on the backups that there are</h2>
            <SimulationView simulation={simulation} />
          </>
        ) : failure ? null : (
          <p className={classes.quiet}>…</p>
        )}
      </Panel>
    </aside>
  );
}

/** What is shown stays until the next answer is there; an answer to what was typed before is dropped. */
function useSimulation(input: SimulateInput, simulate: Simulate) {
  const text = JSON.stringify(input);
  const [simulation, setSimulation] = useState<Simulation | null>(null);
  const [failure, setFailure] = useState<ActionFailure | null>(null);
  const [answered, setAnswered] = useState("");
  useEffect(() => {
    let over = false;
    const timer = setTimeout(async () => {
      const result = await callAction(simulate, JSON.parse(text) as SimulateInput);
      if (over) return;
      setAnswered(text);
      setFailure(result.ok ? null : result.error);
      if (result.ok) setSimulation(result.data);
    }, PAUSE_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [text, simulate]);
  return { simulation: failure ? null : simulation, failure, stale: answered !== text };
}
