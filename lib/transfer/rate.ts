import type { Progress } from "../operations/schema.ts";

const WINDOW_MS = 5000;

/** Turns counts into progress with a rate per second over the last seconds, at most four reports a second. */
export function rateMeter(
  base: Pick<Progress, "label" | "unit" | "total">,
  report: (progress: Progress) => void,
): (done: number) => void {
  const seen: { at: number; done: number }[] = [];
  let reported = 0;
  return (done) => {
    const at = performance.now();
    if (at - reported < 250) return;
    reported = at;
    seen.push({ at, done });
    while ((seen[0]?.at ?? at) < at - WINDOW_MS) seen.shift();
    const oldest = seen[0];
    const seconds = oldest ? (at - oldest.at) / 1000 : 0;
    const perSecond = oldest && seconds > 0 ? (done - oldest.done) / seconds : null;
    // Estimates are sometimes low; a bar beyond its end would say less than none.
    const total = base.total !== null && done > base.total ? null : base.total;
    report({ ...base, total, done, perSecond });
  };
}
