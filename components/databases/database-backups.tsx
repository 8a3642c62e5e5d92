"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { backupColumnsOfOne } from "@/components/backups/backup-columns";
import { Trend, type TrendPoint } from "@/components/charts/trend";
import { PlainTable } from "@/components/ui/data-table";
import { ErrorPanel } from "@/components/ui/error-panel";
import { Panel, Section } from "@/components/ui/section";
import { RowsSkeleton } from "@/components/ui/skeletons";
import type { BackupItem } from "@/lib/backups/schema";
import { formatBytes, formatDuration } from "@/lib/format";
import { backupsOfQuery } from "./backups-of";
import classes from "./database-page.module.css";

const SHOWN = 8;

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
  const sizes = pointsOf(data.items, (backup) => backup.sizeBytes);
  return (
    <Section title="Backups" note="the newest" actions={all}>
      <Panel>
        {sizes.length > 1 ? (
          <div className={classes.trends}>
            <Trend label="Size stored" points={sizes} format={formatBytes} />
            <Trend
              label="Time to restore"
              points={pointsOf(data.items, (backup) => backup.proof?.restoreSeconds)}
              format={formatDuration}
            />
          </div>
        ) : null}
        <PlainTable
          label={`Newest backups of ${name}`}
          columns={backupColumnsOfOne}
          rows={data.items.slice(0, SHOWN)}
          rowKey={(row) => row.id}
          href={(row) => `/backups/${row.id}`}
        />
      </Panel>
    </Section>
  );
}
