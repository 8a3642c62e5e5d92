/** Words and tone of every state that the console shows; the only place where they are chosen. */
import type { Tone } from "@/components/theme/theme";

export interface StateWord {
  tone: Tone;
  word: string;
}

const OPERATION: Record<string, StateWord> = {
  queued: { tone: "unknown", word: "queued" },
  running: { tone: "running", word: "running" },
  cancelling: { tone: "running", word: "cancelling" },
  succeeded: { tone: "ok", word: "succeeded" },
  failed: { tone: "problem", word: "failed" },
  cancelled: { tone: "unknown", word: "cancelled" },
  interrupted: { tone: "warning", word: "interrupted" },
  skipped: { tone: "unknown", word: "skipped" },
};
const BACKUP: Record<string, StateWord> = {
  running: { tone: "running", word: "running" },
  complete: { tone: "ok", word: "complete" },
  partial: { tone: "warning", word: "a copy is missing" },
  failed: { tone: "problem", word: "failed" },
  cancelled: { tone: "unknown", word: "cancelled" },
  interrupted: { tone: "warning", word: "interrupted" },
};
const COPY: Record<string, StateWord> = {
  writing: { tone: "running", word: "being written" },
  stored: { tone: "ok", word: "stored" },
  missing: { tone: "problem", word: "missing" },
  altered: { tone: "problem", word: "altered" },
  failed: { tone: "problem", word: "failed" },
  unreachable: { tone: "warning", word: "out of reach" },
  removing: { tone: "warning", word: "to be deleted" },
  removed: { tone: "unknown", word: "deleted" },
};
const VERDICT: Record<string, StateWord> = {
  proven: { tone: "ok", word: "proven" },
  failed: { tone: "problem", word: "failed to prove" },
  unverifiable: { tone: "warning", word: "could not be proven" },
};

function lookUp(words: Record<string, StateWord>, state: string): StateWord {
  return words[state] ?? { tone: "unknown", word: state };
}

export const operationWord = (state: string) => lookUp(OPERATION, state);
export const backupWord = (state: string) => lookUp(BACKUP, state);
export const copyWord = (state: string) => lookUp(COPY, state);

/** A proof's verdict; "proven by count" where not every table's content was compared. */
export function verdictWord(proof: { verdict: string; byCount: boolean } | null): StateWord {
  if (!proof) return { tone: "unknown", word: "not proven yet" };
  const found = lookUp(VERDICT, proof.verdict);
  return proof.verdict === "proven" && proof.byCount ? { ...found, word: "proven by count" } : found;
}

/** What started a thing, in words: "by schedule nightly", "by API token ci". */
export function actorWords(actor: { kind: string; name: string }): string {
  if (actor.kind === "token") return `API token ${actor.name}`;
  if (actor.kind === "schedule") return `schedule ${actor.name}`;
  if (actor.kind === "system") return "Holdfast";
  return actor.name;
}
