"use client";
import { useLayoutEffect, useRef } from "react";
import { formatMoment } from "@/lib/format";
import classes from "./relative-time.module.css";

const GAP = 8;

/** The card of a time, in the browser's top layer above `anchor` (below it where there is no room). */
export function TimeCard({ at, zone, anchor }: { at: Date; zone: string; anchor: HTMLElement | null }) {
  const card = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = card.current;
    if (!element || !anchor) return;
    element.showPopover?.();
    const place = anchor.getBoundingClientRect();
    const { width, height } = element.getBoundingClientRect();
    const left = Math.min(
      Math.max(GAP, place.left + place.width / 2 - width / 2),
      window.innerWidth - width - GAP,
    );
    const above = place.top - height - GAP;
    element.style.left = `${left}px`;
    element.style.top = `${above > 0 ? above : place.bottom + GAP}px`;
  }, [anchor]);
  return (
    <div ref={card} popover="manual" role="tooltip" className={classes.card}>
      <dl>
        {zone === "UTC" ? null : (
          <>
            <dt>{zone}</dt>
            <dd>{formatMoment(at, zone, true)}</dd>
          </>
        )}
        <dt>UTC</dt>
        <dd>{formatMoment(at, "UTC", true)}</dd>
      </dl>
    </div>
  );
}
