const MINUTE_MS = 60_000;

/** Minutes to the next try to make a missing copy, after so many tries; then a person has to look. */
const RETRY_AFTER_MINUTES = [1, 5, 30, 120, 480, 1_440];

/** When a copy that failed is made again by itself, after `retries` such tries; null when they are used up. */
export function nextRetry(retries: number, now: Date): Date | null {
  const minutes = RETRY_AFTER_MINUTES[retries];
  return minutes === undefined ? null : new Date(now.getTime() + minutes * MINUTE_MS);
}
