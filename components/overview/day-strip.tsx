"use client";
import { useHydrated, useNow } from "@/components/ui/clock";
import { Panel, Section } from "@/components/ui/section";
import { formatCount } from "@/lib/format";
import type { Overview } from "@/lib/overview/schema";
import classes from "./day-strip.module.css";

type Item = Overview["strip"][number];
const DAY = 86_400_000;
const LABELS: Record<string, string> = {
  backup: "backups",
  proof: "proofs",
  verify: "proofs",
  verification: "proofs",
  restore: "restores",
};
const ORDER = ["backups", "proofs", "restores"];

/** What ran in the last 24 hours, one line per kind: a picture with its words beside it. */
export function DayStrip({ items }: { items: Item[] }) {
  const now = useNow();
  const hydrated = useHydrated();
  const kinds = Map.groupBy(items, (item) => LABELS[item.kind] ?? item.kind);
  const labels = [...new Set([...ORDER, ...kinds.keys()])];
  return (
    <Section title="Last 24 hours">
      <Panel padded>
        <div className={classes.strip}>
          {labels.map((label) => (
            <Lane key={label} label={label} items={kinds.get(label) ?? []} now={now} />
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

function Lane({ label, items, now }: { label: string; items: Item[]; now: number }) {
  const words = summary(items);
  const bad = items.some((item) => item.state === "problem");
  return (
    <>
      <span>{label}</span>
      <div className={classes.track} role="img" aria-label={`${label} in the last 24 hours: ${words}`}>
        {items.map((item) => {
          const from = Math.max(0, 1 - (now - Date.parse(item.from)) / DAY);
          const to = Math.min(1, 1 - (now - Date.parse(item.to)) / DAY);
          return (
            <span
              key={`${item.href}${item.from}`}
              title={item.title}
              className={classes.block}
              data-tone={item.state}
              style={{ left: `${from * 100}%`, width: `max(5px, ${Math.max(0, to - from) * 100}%)` }}
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
