import type { RestoreResult } from "./engine.ts";

const SHOWN = 5;

/** What was left out and why, for a sentence: "EVENT TRIGGER watch (only a superuser can restore it) and 3 more". */
export function listSkipped(skipped: RestoreResult["skipped"]): string {
  const shown = skipped.slice(0, SHOWN).map(({ object, reason }) => `${object} (${reason})`);
  const more = skipped.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
