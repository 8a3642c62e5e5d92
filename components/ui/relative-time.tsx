"use client";
/**
 * "3 h ago", and on hover or focus a card with the local time (with its zone) and UTC. After 30 days the date
 * itself. `still` leaves it out of the tab order: use it inside tables, where one stop per row is enough.
 */
import { useRef, useState } from "react";
import { formatDuration, formatMoment, formatRelative } from "@/lib/format";
import { useNow, useZone } from "./clock";
import classes from "./relative-time.module.css";
import { TimeCard } from "./time-card";

const MONTH = 30 * 86_400_000;

export function RelativeTime({ at, still = false }: { at: string; still?: boolean }) {
  const now = useNow();
  const [card, setCard] = useState(false);
  const anchor = useRef<HTMLTimeElement>(null);
  const date = new Date(at);
  const zone = useZone();
  const far = Math.abs(now - date.getTime()) > MONTH;
  const text = far ? formatMoment(date, zone).replace(/,.*/, "") : formatRelative(date.getTime(), now);
  return (
    <>
      <time
        ref={anchor}
        dateTime={at}
        className={classes.time}
        tabIndex={still ? undefined : 0}
        onPointerEnter={() => setCard(true)}
        onPointerLeave={() => setCard(false)}
        onFocus={() => setCard(true)}
        onBlur={() => setCard(false)}
        onKeyDown={(event) => event.key === "Escape" && setCard(false)}
      >
        {text}
      </time>
      {card ? <TimeCard at={date} zone={zone} anchor={anchor.current} /> : null}
    </>
  );
}

/** A moment in words with its date: "12 Nov 2026, 02:15", in the viewer's zone. */
export function Moment({ at }: { at: string }) {
  const zone = useZone();
  return (
    <time dateTime={at} title={formatMoment(new Date(at), "UTC", true).concat(" UTC")}>
      {formatMoment(new Date(at), zone)}
    </time>
  );
}

/** Time that has passed since `from`, counting on until `to` is known: "4 min 10 s". */
export function Elapsed({ from, to }: { from: string; to?: string | null }) {
  const now = useNow("second");
  const end = to ? Date.parse(to) : now;
  return <span data-figures>{formatDuration(Math.max(0, (end - Date.parse(from)) / 1000))}</span>;
}
