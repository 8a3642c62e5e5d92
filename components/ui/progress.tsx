/** Progress of long work: bar, amount with unit, rate and time left. Without a total the bar says so by moving. */

import { formatAmount, formatDuration, formatRate, percentOf } from "@/lib/format";
import type { Progress as ProgressDto } from "@/lib/operations/schema";
import classes from "./progress.module.css";

type Amounts = Pick<ProgressDto, "done" | "total" | "unit"> & { perSecond?: number | null | undefined };

/** "1.9 of 3.4 GB · 96 MB/s · about 16 s left". */
export function progressText(progress: Amounts): string {
  const { done, total, unit, perSecond } = progress;
  const parts = [
    total === null ? formatAmount(done, unit) : `${formatAmount(done, unit)} of ${formatAmount(total, unit)}`,
  ];
  if (perSecond && perSecond > 0) {
    parts.push(formatRate(perSecond, unit));
    if (total !== null && total > done)
      parts.push(`about ${formatDuration((total - done) / perSecond)} left`);
  }
  return parts.join(" · ");
}

export function ProgressBar({ progress, label }: { progress: ProgressDto | null; label: string }) {
  const percent = progress ? percentOf(progress.done, progress.total) : null;
  return (
    <div
      className={classes.track}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(percent === null ? {} : { "aria-valuenow": Math.round(percent) })}
      aria-valuetext={progress ? progressText(progress) : "not known yet"}
    >
      <div
        className={classes.bar}
        data-unknown={percent === null || undefined}
        style={percent === null ? undefined : { width: `${percent}%` }}
      />
    </div>
  );
}

/** Bar with its label and figures. */
export function ProgressLine({ progress, label }: { progress: ProgressDto | null; label: string }) {
  return (
    <div className={classes.line}>
      <p className={classes.text} data-figures>
        {progress
          ? [progress.label, progressText(progress), progress.note].filter(Boolean).join(" · ")
          : "starting"}
      </p>
      <ProgressBar progress={progress} label={label} />
    </div>
  );
}
