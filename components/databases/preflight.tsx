"use client";
import { Button, Loader } from "@mantine/core";
import { useActiveOperations } from "@/components/live/use-active-operations";
import { useCan } from "@/components/shell/viewer";
import type { ServerAction } from "@/components/ui/action-result";
import { FormBanner } from "@/components/ui/form";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { Status } from "@/components/ui/status";
import { useAction } from "@/components/ui/use-action";
import type { DatabaseDto } from "@/lib/databases/schema";
import classes from "./database-page.module.css";
import { Findings } from "./findings";

/** What is missing or risky on the server, why it matters, and the SQL that fixes it. */
export function Preflight({
  database,
  run,
}: {
  database: DatabaseDto;
  run: ServerAction<{ database: string }, unknown>;
}) {
  const mayTest = useCan("database.test");
  const check = useAction(run);
  const { data } = useActiveOperations();
  const running =
    check.pending ||
    data?.items.some(
      (operation) => operation.database === database.name && operation.kind === "database.preflight",
    );
  const { preflight } = database;
  return (
    <Section
      title="Preflight"
      note={
        preflight ? (
          <>
            looked <RelativeTime at={preflight.at} />
          </>
        ) : undefined
      }
      actions={
        mayTest && !database.archivedAt ? (
          <Button
            variant="default"
            size="xs"
            onClick={() => void check.run({ database: database.id })}
            aria-disabled={running || undefined}
            leftSection={running ? <Loader size={12} color="currentColor" /> : undefined}
          >
            Look again
          </Button>
        ) : null
      }
    >
      <FormBanner failure={check.failure} title="The check was not started" />
      <Panel>
        {preflight ? (
          <Findings findings={preflight.findings} />
        ) : (
          <p className={classes.empty}>
            <Status tone={running ? "running" : "unknown"}>
              {running ? "A worker is looking at the server." : "Not looked at yet."}
            </Status>
          </p>
        )}
      </Panel>
    </Section>
  );
}
