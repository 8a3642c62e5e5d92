"use client";
/**
 * Weeks as columns, Monday to Sunday as rows. One stop of the Tab key; arrows move by day and week, Home and End to
 * the first and last day. A day with runs is a link to them.
 */
import Link from "next/link";
import { type FocusEvent, type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { FloatingCard } from "@/components/ui/floating-card";
import { Hidden } from "@/components/ui/hidden";
import classes from "./calendar.module.css";
import { addDays, type CalendarDay, type CalendarWeek } from "./calendar-days";
import { DAY_WORDS, DayMark } from "./calendar-mark";

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/** A table whose cells the arrow keys reach (ARIA APG, grid pattern). */
const GRID = { role: "grid" };
/** Days that each key moves by. */
const MOVES: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -7, ArrowRight: 7 };

function inWords(day: string, form: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat("en-GB", { ...form, timeZone: "UTC" }).format(new Date(day));
}
const long = (day: string) =>
  inWords(day, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

function counts({ proven, unproven, failed }: CalendarDay): string[] {
  const parts: [number, string][] = [
    [proven, DAY_WORDS.proven],
    [unproven, DAY_WORDS.unproven],
    [failed, DAY_WORDS.failed],
  ];
  const said = parts.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : []));
  return said.length > 0 ? said : [DAY_WORDS.none];
}

export function CalendarGrid({
  label,
  weeks,
  today,
  href,
}: {
  label: string;
  weeks: CalendarWeek[];
  today: string;
  href: (day: string) => string;
}) {
  const grid = useRef<HTMLTableElement>(null);
  const [active, setActive] = useState(today);
  const [shown, setShown] = useState<{ day: string; anchor: HTMLElement } | null>(null);
  const days = new Map(
    weeks.flatMap((week) => week.days.flatMap((day) => (day ? [[day.day, day] as const] : []))),
  );
  const stop = days.has(active) ? active : today;
  const first = days.keys().next().value ?? today;

  function show(event: PointerEvent | FocusEvent) {
    if (event.type === "pointerover" && (event as PointerEvent).pointerType === "touch") return;
    const anchor = (event.target as Element).closest<HTMLElement>("[data-day]");
    setShown(anchor?.dataset.day ? { day: anchor.dataset.day, anchor } : null);
    if (event.type === "focus" && anchor?.dataset.day) setActive(anchor.dataset.day);
  }
  function move(event: KeyboardEvent) {
    if (event.key === "Escape") setShown(null);
    const step = MOVES[event.key];
    const ends: Record<string, string> = { Home: first, End: today };
    const target = step === undefined ? ends[event.key] : addDays(stop, step);
    if (target === undefined) return;
    event.preventDefault();
    if (days.has(target)) grid.current?.querySelector<HTMLElement>(`[data-day="${target}"]`)?.focus();
  }

  const about = shown ? days.get(shown.day) : undefined;
  return (
    <>
      <table
        ref={grid}
        {...GRID}
        aria-label={label}
        className={classes.grid}
        style={{ "--weeks": weeks.length } as React.CSSProperties}
        onPointerOver={show}
        onPointerLeave={() => setShown(null)}
        onFocus={show}
        onBlur={() => setShown(null)}
        onKeyDown={move}
      >
        <thead>
          <tr>
            <td />
            {weeks.map((week, index) => (
              <th key={week.monday} scope="col">
                {startsMonth(week, weeks[index - 1]) ? (
                  <span className={classes.month} aria-hidden="true">
                    {inWords(newestOf(week), { month: "short" })}
                  </span>
                ) : null}
                <Hidden>Week of {inWords(week.monday, { day: "numeric", month: "long" })}</Hidden>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {WEEKDAYS.map((weekday, row) => (
            <tr key={weekday}>
              <th scope="row" className={classes.weekday}>
                {weekday}
              </th>
              {weeks.map((week) => (
                <Day
                  key={week.monday}
                  day={week.days[row] ?? null}
                  past={addDays(week.monday, row) < today}
                  today={today}
                  stop={stop}
                  href={href}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown && about ? (
        <FloatingCard key={shown.day} anchor={shown.anchor}>
          <strong className={classes.cardTitle}>{long(shown.day)}</strong>
          {counts(about).map((text) => (
            <span key={text} className={classes.cardLine}>
              {text}
            </span>
          ))}
        </FloatingCard>
      ) : null}
    </>
  );
}

/** The first column of a month, unless there is no room for its name beside the one before. */
function startsMonth(week: CalendarWeek, before: CalendarWeek | undefined): boolean {
  if (before === undefined) return week.monday.slice(8) <= "14";
  return newestOf(week).slice(0, 7) !== newestOf(before).slice(0, 7);
}

/** So that the week in which a month begins carries its name. */
function newestOf(week: CalendarWeek): string {
  return week.days.findLast((day) => day !== null)?.day ?? addDays(week.monday, 6);
}

function Day({
  day,
  past,
  today,
  stop,
  href,
}: {
  day: CalendarDay | null;
  past: boolean;
  today: string;
  stop: string;
  href: (day: string) => string;
}) {
  if (!day) return <td>{past ? <span className={classes.before} /> : null}</td>;
  const mark = <DayMark state={day.state} today={day.day === today} />;
  const reached = { "data-day": day.day, tabIndex: day.day === stop ? 0 : -1 };
  const words = `${long(day.day)}: ${counts(day).join(", ")}`;
  if (day.state === "none") {
    return (
      <td className={classes.day} aria-label={words} {...reached}>
        {mark}
      </td>
    );
  }
  return (
    <td>
      <Link href={href(day.day)} className={classes.day} aria-label={words} prefetch={false} {...reached}>
        {mark}
      </Link>
    </td>
  );
}
