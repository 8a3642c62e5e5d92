"use client";
import Link from "next/link";
import { useHydrated, useNow } from "@/components/ui/clock";
import { Panel, Section } from "@/components/ui/section";
import { formatCount } from "@/lib/format";
import type { Overview } from "@/lib/overview/schema";
import classes from "./day-strip.module.css";

type Item = Overview["strip"][number];
const DAY = 86_400_000;
/** Narrower blocks could not be seen. */
const LEAST = "5px";
const LANES = [
  { kind: "backup", label: "backups", operation: "backup.run" },
  { kind: "proof", label: "proofs", operation: "backup.verify" },
  { kind: "restore", label: "restores", operation: "backup.restore" },
];

/** What ran in the last 24 hours, one line per kind: a picture with its words beside it; its name opens the list. */
export function DayStrip({ items }: { items: Item[] }) {
  const now = useNow();
  const hydrated = useHydrated();
  const kinds = Map.groupBy(items, (item) => item.kind);
  return (
    <Section title="Last 24 hours">
      <Panel padded>
        <div className={classes.strip}>
          {LANES.map((lane) => (
            <Lane key={lane.kind} {...lane} items={kinds.get(lane.kind) ?? []} now={now} />
          ))}
          <div className={classes.axis} aria-hidden="true">
            {[24, 18, 12, 6].map((hours) => (
              <span key={hours}>{hydrated ? clock(now - hours * 3_600_000) : ""}</span>
            ))}
            <span>now</span>
          </div>
        </div>
      </Panel>
    </Section>
  );
}

function clock(at: number): string {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(at);
}

function summary(items: Item[]): string {
  if (items.length === 0) return "none";
  const bad = items.filter((item) => item.state === "problem").length;
  const running = items.filter((item) => item.state === "running").length;
  return [
    formatCount(items.length),
    bad > 0 ? `${formatCount(bad)} failed` : null,
    running > 0 ? `${formatCount(running)} running` : null,
  ]
    .filter(Boolean)
    .join(", ");
}

/** Percent of the way from a day ago to now. The browser's clock may be behind the server's. */
function placeOf(at: string, now: number): number {
  return Math.min(100, Math.max(0, 100 - ((now - Date.parse(at)) / DAY) * 100));
}

function Lane({
  label,
  operation,
  items,
  now,
}: {
  label: string;
  operation: string;
  items: Item[];
  now: number;
}) {
  const words = summary(items);
  const bad = items.some((item) => item.state === "problem");
  return (
    <>
      <Link href={`/operations?kind=${operation}`} className={classes.lane}>
        {label}
      </Link>
      <div className={classes.track} role="img" aria-label={`${label} in the last 24 hours: ${words}`}>
        {items.map((item) => {
          const from = placeOf(item.from, now);
          const to = item.state === "running" ? 100 : placeOf(item.to, now);
          return (
            <span
              key={`${item.href}${item.from}`}
              title={item.title}
              className={classes.block}
              data-tone={item.state}
              // What has just begun would lie beyond the edge.
              style={{ left: `min(${from}%, 100% - ${LEAST})`, width: `max(${LEAST}, ${to - from}%)` }}
            />
          );
        })}
      </div>
      <span className={classes.count} data-bad={bad || undefined}>
        {words}
      </span>
    </>
  );
}
