"use client";
/** One database: its promise with the evidence, its backups and their trend, preflight, what happened, settings. */
import { Alert, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { BackupCalendar, CALENDAR_PX } from "@/components/backups/calendar/backup-calendar";
import { useActiveOperations } from "@/components/live/use-active-operations";
import { useCan } from "@/components/shell/viewer";
import { PageHeader, type TitlePart } from "@/components/ui/page-header";
import { ProgressLine } from "@/components/ui/progress";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { BlockSkeleton, HeaderSkeleton, RowsSkeleton } from "@/components/ui/skeletons";
import { Status } from "@/components/ui/status";
import { UnreadPage } from "@/components/ui/unread-page";
import { apiGet } from "@/lib/api-client";
import { databaseKeys } from "@/lib/databases/query-keys";
import type { DatabaseDto } from "@/lib/databases/schema";
import { formatBytes, plural } from "@/lib/format";
import { type BackUp, BackUpButton } from "./back-up-button";
import { type ActionsOfDatabase, DatabaseActions } from "./database-actions";
import { DatabaseBackups } from "./database-backups";
import classes from "./database-page.module.css";
import { DatabaseSettings } from "./database-settings";
import { engineLabel } from "./engine-label";
import { Preflight } from "./preflight";
import { Timeline } from "./timeline";

const TRAIL = [{ label: "Databases", href: "/databases" }];

export function DatabasePage({ name, actions }: { name: string; actions: ActionsOfDatabase }) {
  const mayWrite = useCan("database.write");
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: databaseKeys.one(name),
    queryFn: ({ signal }) => apiGet<DatabaseDto>(`databases/${encodeURIComponent(name)}`, {}, signal),
  });
  if (!data) {
    if (!error) return <DatabaseSkeleton name={name} />;
    return <UnreadPage what="database" name={name} trail={TRAIL} query={{ error, isFetching, refetch }} />;
  }
  return (
    <>
      <PageHeader
        trail={TRAIL}
        title={titleOf(data)}
        facts={[
          engineLabel(data.engine, data.serverVersion),
          data.sizeBytes === null ? null : formatBytes(data.sizeBytes),
          `${data.environment}${data.protected ? " (protected)" : ""}`,
          data.application === data.name ? null : `application ${data.application}`,
          data.owner ? `owner ${data.owner}` : null,
        ]}
        actions={data.archivedAt ? undefined : <DatabaseActions database={data} actions={actions} />}
      />
      {data.archivedAt ? (
        <Alert color="unknown" mb="md" title="Archived">
          It is not backed up any more; its backups are kept. Bring it back under Settings below.
        </Alert>
      ) : null}
      {data.probeError ? (
        <Alert color="problem" mb="md" title="It could not be reached when it was last looked at">
          {data.probeError}
          {mayWrite ? (
            <>
              {" "}
              <Link href={`/databases/${data.name}/edit`}>Check its connection</Link>
            </>
          ) : null}
        </Alert>
      ) : null}
      <RunningHere name={data.name} />
      <PromisePanel database={data} backUp={actions.backUp} />
      <BackupCalendar name={data.name} registeredAt={data.createdAt} />
      <div className={classes.columns}>
        <div>
          <DatabaseBackups name={data.name} />
          <Preflight database={data} run={actions.preflight} />
        </div>
        <div>
          <Section title="Timeline">
            <Timeline name={data.name} />
          </Section>
          <DatabaseSettings database={data} actions={actions} />
        </div>
      </div>
    </>
  );
}

function DatabaseSkeleton({ name }: { name: string }) {
  return (
    <>
      <HeaderSkeleton trail={TRAIL} title={name} />
      <Section title="Promises" note="with their evidence">
        <RowsSkeleton rows={1} />
      </Section>
      <Section title="Calendar">
        <BlockSkeleton height={CALENDAR_PX} />
      </Section>
      <div className={classes.columns}>
        <Section title="Backups">
          <RowsSkeleton rows={6} />
        </Section>
        <Section title="Timeline">
          <RowsSkeleton rows={6} />
        </Section>
      </div>
    </>
  );
}

function titleOf({ name, recoverable }: DatabaseDto): TitlePart[] {
  const tone =
    recoverable.state === "problem" || recoverable.state === "warning" ? recoverable.state : "plain";
  return [{ text: `${name}: ` }, { text: recoverable.text, tone }, { text: "." }];
}

function PromisePanel({ database, backUp }: { database: DatabaseDto; backUp: BackUp }) {
  const mayBackUp = useCan("backup.run");
  const { recoverable } = database;
  return (
    <Section title="Promises" note="with their evidence">
      <Panel>
        <div className={classes.promise} data-tone={recoverable.state}>
          <span className={classes.promiseName}>Recoverable</span>
          <Status tone={recoverable.state} detail={recoverable.detail} coloured={false}>
            {recoverable.text}
          </Status>
          <span className={classes.promiseTimes}>
            last backup {database.lastBackupAt ? <RelativeTime at={database.lastBackupAt} /> : "never"}
            <br />
            last proven {database.lastProvenAt ? <RelativeTime at={database.lastProvenAt} /> : "never"}
            {database.copies ? (
              <>
                <br />
                {copiesWords(database.copies)}
              </>
            ) : null}
          </span>
          {recoverable.href ? (
            <Button component={Link} href={recoverable.href} variant="default" size="xs">
              {recoverable.state === "running" ? "Follow it" : "See the evidence"}
            </Button>
          ) : mayBackUp && !database.archivedAt ? (
            <BackUpButton database={database.id} backUp={backUp} variant="default" size="xs">
              Back up now
            </BackUpButton>
          ) : null}
        </div>
      </Panel>
    </Section>
  );
}

/** In how many places it lies, and what the 3-2-1 rule lacks. */
function copiesWords({ stored, lacks }: NonNullable<DatabaseDto["copies"]>): string {
  const rule = lacks.length === 0 ? "3-2-1 holds" : `3-2-1 lacks ${lacks.join(", ")}`;
  return `${plural(stored, "copy", "copies")}; ${rule}`;
}

function RunningHere({ name }: { name: string }) {
  const { data } = useActiveOperations();
  const mine = data?.items.filter((operation) => operation.database === name) ?? [];
  if (mine.length === 0) return null;
  return (
    <Section title="Running">
      <Panel>
        {mine.map((operation) => (
          <div key={operation.id} className={classes.running}>
            <Link href={`/operations/${operation.id}`}>{operation.title}</Link>
            {operation.state === "queued" ? (
              <p className={classes.quiet}>{operation.waitsFor ?? "waits for a worker"}</p>
            ) : (
              <ProgressLine progress={operation.progress} label={`Progress of ${operation.title}`} />
            )}
          </div>
        ))}
      </Panel>
    </Section>
  );
}
