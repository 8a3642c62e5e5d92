"use client";
import { formatMoment } from "@/lib/format";
import { FloatingCard } from "./floating-card";
import classes from "./relative-time.module.css";

/** The card of a time: in the viewer's zone and in UTC. */
export function TimeCard({ at, zone, anchor }: { at: Date; zone: string; anchor: HTMLElement | null }) {
  return (
    <FloatingCard anchor={anchor}>
      <dl className={classes.card}>
        {zone === "UTC" ? null : (
          <>
            <dt>{zone}</dt>
            <dd>{formatMoment(at, zone, true)}</dd>
          </>
        )}
        <dt>UTC</dt>
        <dd>{formatMoment(at, "UTC", true)}</dd>
      </dl>
    </FloatingCard>
  );
}
