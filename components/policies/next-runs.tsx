"use client";
/** Due times in the policy's zone, and in the reader's where that is another one. */
import { useZone } from "@/components/ui/clock";
import { RelativeTime } from "@/components/ui/relative-time";
import { formatMoment } from "@/lib/format";
import classes from "./policies.module.css";

export function NextRuns({ runs, zone }: { runs: string[]; zone: string }) {
  const own = useZone();
  if (runs.length === 0) return <p className={classes.quiet}>None while it is paused or archived.</p>;
  return (
    <ol className={classes.runs} aria-label="Next runs">
      {runs.map((at) => {
        const date = new Date(at);
        const here = own === zone ? null : `${formatMoment(date, own)} ${own}`;
        return (
          <li key={at}>
            <time dateTime={at}>
              {formatMoment(date, zone)} {zone}
            </time>
            <span className={classes.quiet}>
              {here ? `${here} · ` : ""}
              <RelativeTime at={at} still />
            </span>
          </li>
        );
      })}
    </ol>
  );
}
