"use client";
/** The runs of one database by day, up to a year back: as many weeks as there is room for. */
import { useElementSize } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useHydrated, useNow, useZone } from "@/components/ui/clock";
import { ErrorPanel } from "@/components/ui/error-panel";
import { Panel, Section } from "@/components/ui/section";
import { BlockSkeleton } from "@/components/ui/skeletons";
import { apiGet } from "@/lib/api-client";
import { backupKeys } from "@/lib/backups/query-keys";
import type { BackupDay } from "@/lib/backups/schema";
import { formatCount, plural } from "@/lib/format";
import classes from "./calendar.module.css";
import { type CalendarDay, calendarWeeks, type DayState, dayOf } from "./calendar-days";
import { CalendarGrid } from "./calendar-grid";
import { DAY_WORDS, DayMark } from "./calendar-mark";

/** A year of whole weeks. */
const MOST_WEEKS = 53;
/** So that a new database's calendar looks like one. */
const LEAST_WEEKS = 13;
/** About the height of what is in its panel, for placeholders. */
export const CALENDAR_PX = 195;
/** The least size of a target (WCAG 2.2, 2.5.8), and the width of the weekdays' names. */
const WEEK_PX = 24;
const NAMES_PX = 34;

export function BackupCalendar({
  name,
  registeredAt,
}: {
  name: string;
  /** The first day that a backup could be missing on; without it, the first with one. */
  registeredAt?: string;
}) {
  const hydrated = useHydrated();
  const zone = useZone();
  const asked = { days: String(MOST_WEEKS * 7), zone };
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: backupKeys.days(name, asked),
    queryFn: ({ signal }) =>
      apiGet<BackupDay[]>(`databases/${encodeURIComponent(name)}/backup-days`, asked, signal),
    placeholderData: keepPreviousData,
    enabled: hydrated,
  });
  return (
    <Section title="Calendar" note={hydrated ? `each day opens its backups · days of ${zone}` : undefined}>
      {data ? null : error ? (
        <ErrorPanel error={error} onRetry={() => void refetch()} retrying={isFetching} />
      ) : (
        <BlockSkeleton height={CALENDAR_PX} />
      )}
      {data ? (
        <Panel padded>
          {data.length > 0 ? (
            <Filled name={name} days={data} zone={zone} registeredAt={registeredAt} />
          ) : (
            <p className={classes.empty}>
              Nothing was backed up in the last year. From the first backup on, each day shows here whether it
              has a proven one.
            </p>
          )}
        </Panel>
      ) : null}
    </Section>
  );
}

function Filled({
  name,
  days,
  zone,
  registeredAt,
}: {
  name: string;
  days: BackupDay[];
  zone: string;
  registeredAt: string | undefined;
}) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const today = dayOf(useNow(), zone);
  const first = days[0]?.day ?? today;
  const known = registeredAt ? dayOf(Date.parse(registeredAt), zone) : first;
  const since = known < first ? known : first;
  const most = Math.min(MOST_WEEKS, Math.floor((width - NAMES_PX) / WEEK_PX));
  const weeks = width === 0 ? [] : calendarWeeks({ days, since, today, least: LEAST_WEEKS, most });
  return (
    <div className={classes.calendar} ref={ref}>
      {weeks.length > 0 ? (
        <CalendarGrid
          label={`Backups of ${name} by day`}
          weeks={weeks}
          today={today}
          href={(day) => `/backups?${new URLSearchParams({ database: name, day })}`}
        />
      ) : null}
      <Legend days={weeks.flatMap((week) => week.days).filter((day) => day !== null)} />
    </div>
  );
}

/** What the marks mean, and on how many of the shown days they stand. */
function Legend({ days }: { days: CalendarDay[] }) {
  const found = Map.groupBy(days, (day) => day.state);
  const on = (state: DayState) => found.get(state)?.length ?? 0;
  const states: DayState[] = ["proven", "mixed", "unproven", "failed", "none"];
  return (
    <div className={classes.legend}>
      <p className={classes.summary}>
        A proven backup on <strong>{formatCount(on("proven") + on("mixed"))}</strong> of{" "}
        {plural(days.length, "day")}
      </p>
      <ul>
        {states
          .filter((state) => state === "proven" || on(state) > 0)
          .map((state) => (
            <li key={state}>
              <DayMark state={state} />
              {DAY_WORDS[state]} <span className={classes.number}>{formatCount(on(state))}</span>
            </li>
          ))}
      </ul>
    </div>
  );
}
