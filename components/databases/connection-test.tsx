"use client";
import { Button, Loader } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";
import { useState } from "react";
import type { ServerAction } from "@/components/ui/action-result";
import { FormBanner } from "@/components/ui/form";
import { Panel } from "@/components/ui/section";
import { Status } from "@/components/ui/status";
import { useAction } from "@/components/ui/use-action";
import type { ConnectionTest } from "@/lib/databases/schema";
import { formatBytes, formatDuration } from "@/lib/format";
import classes from "./database-form.module.css";
import type { DatabaseValues, TestInput } from "./database-values";
import { testInputOf } from "./database-values";
import { engineLabel } from "./engine-label";
import { Findings } from "./findings";

/** Connects once with what stands in the form, and shows the answer in place. Saving does not depend on it. */
export function ConnectionTester({
  values,
  saved,
  test,
  onFailed,
}: {
  values: DatabaseValues;
  /** Name of the saved database whose stored password is used where none was typed. */
  saved?: string | undefined;
  test: ServerAction<TestInput, ConnectionTest>;
  onFailed: (fields: Record<string, string>) => void;
}) {
  const { run, pending, failure } = useAction(test);
  const [result, setResult] = useState<ConnectionTest | null>(null);

  async function start() {
    setResult(null);
    const answer = await run(testInputOf(values, saved));
    if (answer) setResult(answer);
  }
  return (
    <div className={classes.test}>
      <Button
        variant="default"
        onClick={() => void start()}
        aria-disabled={pending || undefined}
        leftSection={
          pending ? <Loader size={14} color="currentColor" /> : <IconPlugConnected size={16} aria-hidden />
        }
      >
        Test the connection
      </Button>
      <div role="status">
        {pending ? <p className={classes.waiting}>A worker is connecting…</p> : null}
        {result ? <Result result={result} engine={values.engine} /> : null}
      </div>
      {failure && !pending ? <Failed failure={failure} onFailed={onFailed} /> : null}
    </div>
  );
}

function Failed({
  failure,
  onFailed,
}: {
  failure: NonNullable<ReturnType<typeof useAction>["failure"]>;
  onFailed: (fields: Record<string, string>) => void;
}) {
  const fields = failure.fields ?? {};
  return (
    <div>
      <FormBanner failure={failure} title="The connection was not tested" />
      {Object.keys(fields).length > 0 ? (
        <Button variant="subtle" size="compact-sm" mt={6} onClick={() => onFailed(fields)}>
          Show the fields
        </Button>
      ) : null}
    </div>
  );
}

function Result({ result, engine }: { result: ConnectionTest; engine: string }) {
  const facts = [
    result.serverVersion ? engineLabel(engine, result.serverVersion) : null,
    result.sizeBytes === null ? null : formatBytes(result.sizeBytes),
    result.latencyMs === null ? null : `answers in ${formatDuration(result.latencyMs / 1000)}`,
  ].filter(Boolean);
  const open = result.findings.filter((finding) => finding.state !== "ok");
  return (
    <Panel>
      <div className={classes.result} data-ok={result.ok || undefined}>
        <Status tone={result.ok ? "ok" : "problem"} detail={result.ok ? facts.join(" · ") : result.remedy}>
          {result.message}
        </Status>
      </div>
      {open.length > 0 ? <Findings findings={open} /> : null}
    </Panel>
  );
}
