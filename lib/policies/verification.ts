import { calendar } from "./retention.ts";
import type { Verification } from "./schema.ts";

/** What is known of a policy's earlier backups of one database. */
export interface Verified {
  /** When the newest one that was to be proven, and was made, was started. */
  lastAt: Date | null;
  /** How many were made after it. */
  since: number;
}

/** Whether the backup that starts now is to be proven. Days and weeks are those of the calendar in `zone`. */
export function shouldVerify(
  cadence: Verification,
  { lastAt, since }: Verified,
  now: Date,
  zone: string,
): boolean {
  if (lastAt === null || cadence.kind === "each") return true;
  if (cadence.kind === "nth") return since + 1 >= cadence.n;
  const periodOf = calendar(zone);
  return periodOf(lastAt)[cadence.kind] !== periodOf(now)[cadence.kind];
}
