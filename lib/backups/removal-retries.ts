/** Waits between tries to delete what a destination does not let go, in minutes; the last one repeats. */
const WAITS_MIN = [1, 5, 30, 120, 360];

/** When objects that are still there are deleted again, after so many tries. There is no last try. */
export function nextRemoval(triesBefore: number, now: Date): Date {
  const wait = WAITS_MIN[Math.min(triesBefore, WAITS_MIN.length - 1)] ?? 360;
  return new Date(now.getTime() + wait * 60_000);
}
