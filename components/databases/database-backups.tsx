"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { Trend, type TrendPoint } from "@/components/charts/trend";
import { type Column, PlainTable } from "@/components/ui/data-table";
import { ErrorPanel } from "@/components/ui/error-panel";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { RowsSkeleton } from "@/components/ui/skeletons";
import { backupWord, verdictWord } from "@/components/ui/state-words";
import { Status } from "@/components/ui/status";
import type { BackupItem } from "@/lib/backups/schema";
import { formatBytes, formatDuration } from "@/lib/format";
import { backupsOfQuery } from "./backups-of";
import classes from "./database-page.module.css";

const SHOWN = 8;

const columns: Column<BackupItem>[] = [
  { key: "time", header: "Backup", main: true, cell: (row) => <RelativeTime at={row.createdAt} still /> },
  {
    key: "state",
    header: "State",
    cell: (row) => {
      const { tone, word } = backupWord(row.state);
      return (
        <Status tone={tone} detail={row.state === "complete" ? null : row.reason}>
          {word}
        </Status>
      );
    },
  },
  {
    key: "proof",
    header: "Proof",
    cell: (row) => {
      if (row.state !== "complete" && row.state !== "partial") return "none";
      const { tone, word } = verdictWord(row.proof);
      return (
        <Status tone={tone} detail={row.proof?.verdict === "proven" ? null : row.proof?.reason}>
          {word}
        </Status>
      );
    },
  },
  {
    key: "size",
    header: "Size",
    align: "end",
    cell: (row) => (row.sizeBytes === null ? "" : formatBytes(row.sizeBytes)),
  },
  {
    key: "restore",
    header: "Restores in",
    align: "end",
    cell: (row) => {
      const seconds = row.proof?.restoreSeconds;
      return seconds === null || seconds === undefined ? "" : formatDuration(seconds);
    },
  },
];

/** Points of one measure, oldest first; backups without it are left out. */
function pointsOf(
  backups: BackupItem[],
  measure: (backup: BackupItem) => number | null | undefined,
): TrendPoint[] {
  return backups
    .flatMap((backup) => {
      const value = measure(backup);
      return value === null || value === undefined ? [] : [{ at: backup.createdAt, value }];
    })
    .reverse();
}

export function DatabaseBackups({ name }: { name: string }) {
  const { data, error, refetch } = useQuery(backupsOfQuery(name));
  const all = (
    <Link href={`/backups?database=${encodeURIComponent(name)}`} className={classes.quiet}>
      All backups of it
    </Link>
  );
  if (!data) {
    return (
      <Section title="Backups">
        {error ? <ErrorPanel error={error} onRetry={() => void refetch()} /> : <RowsSkeleton rows={4} />}
      </Section>
    );
  }
  if (data.items.length === 0) {
    return (
      <Section title="Backups">
        <Panel>
          <p className={classes.empty}>
            No backup yet. Press Back up above: it is proven as soon as it is made.
          </p>
        </Panel>
      </Section>
    );
  }
  return (
    <Section title="Backups" note="size and time to restore" actions={all}>
      <Panel>
        <div className={classes.trends}>
          <Trend
            label="Size stored"
            points={pointsOf(data.items, (backup) => backup.sizeBytes)}
            format={formatBytes}
          />
          <Trend
            label="Time to restore"
            points={pointsOf(data.items, (backup) => backup.proof?.restoreSeconds)}
            format={formatDuration}
          />
        </div>
        <PlainTable
          label={`Newest backups of ${name}`}
          columns={columns}
          rows={data.items.slice(0, SHOWN)}
          rowKey={(row) => row.id}
          href={(row) => `/backups/${row.id}`}
        />
      </Panel>
    </Section>
  );
}
