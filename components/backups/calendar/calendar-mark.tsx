/** How a day of the calendar looks and what its look means. */
import { IconAlertCircleFilled, IconCheck, IconCircle, IconX } from "@tabler/icons-react";
import classes from "./calendar.module.css";
import type { DayState } from "./calendar-days";

export const DAY_WORDS: Record<DayState, string> = {
  proven: "proven",
  mixed: "proven, and a run failed",
  unproven: "stored, not proven",
  failed: "failed",
  none: "no backup",
};

/** The tile of a day; its shape alone tells the state. */
export function DayMark({ state, today = false }: { state: DayState; today?: boolean }) {
  return (
    <span className={classes.tile} data-state={state} data-today={today || undefined} aria-hidden="true">
      {state === "proven" || state === "mixed" ? <IconCheck size={14} stroke={2.4} /> : null}
      {state === "unproven" ? <IconCircle size={10} stroke={3} /> : null}
      {state === "failed" ? <IconX size={14} stroke={2.6} /> : null}
      {state === "mixed" ? <IconAlertCircleFilled size={10} className={classes.corner} /> : null}
    </span>
  );
}
