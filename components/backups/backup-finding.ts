import type { TitlePart } from "@/components/ui/page-header";
import type { BackupDto } from "@/lib/backups/schema";

function stripDot(text: string): string {
  return text.trim().replace(/\.$/, "");
}

type Found = Pick<BackupDto, "state" | "reason" | "proof" | "verification" | "copies"> &
  Partial<Pick<BackupDto, "removal">>;

/** What is to be said of one backup, as its page's title: only what needs someone has a tone. */
export function backupFinding(backup: Found): TitlePart[] {
  if (backup.removal?.removedAt) return [{ text: "This backup was deleted; nothing of it is stored." }];
  if (backup.removal) return [{ text: "This backup is being deleted." }];
  return [...proofFinding(backup), ...copiesFinding(backup)];
}

const STATES: Record<string, string> = {
  failed: "was not made",
  missing: "is missing",
  altered: "was altered",
  unreachable: "could not be reached",
};

/** Of a backup that was finished: what is not as it should be with its copies. */
function copiesFinding({ state, copies }: Found): TitlePart[] {
  if (state !== "complete" && state !== "partial") return [];
  const bad = copies.filter((copy) => copy.state in STATES);
  const [only, other] = bad;
  if (!only) return [];
  const text = other
    ? ` ${bad.length} of its ${copies.length} copies are not good.`
    : ` Its copy at ${only.destination} ${STATES[only.state]}.`;
  return [{ text, tone: "warning" }];
}

function proofFinding(backup: Found): TitlePart[] {
  const { state, proof, verification } = backup;
  const reason = backup.reason ? `: ${stripDot(backup.reason)}` : "";
  if (state === "running") return [{ text: "This backup is being made." }];
  if (state === "failed") return [{ text: "This backup " }, { text: `failed${reason}.`, tone: "problem" }];
  if (state === "cancelled") return [{ text: "This backup was cancelled; nothing of it is stored." }];
  if (state === "interrupted")
    return [{ text: "This backup was " }, { text: `interrupted${reason}.`, tone: "warning" }];
  if (verification) return [{ text: "This backup is being proven." }];
  if (!proof) return [{ text: "This backup has " }, { text: "not been proven.", tone: "warning" }];
  if (proof.verdict === "failed") {
    return [
      { text: "This backup does not restore to what was dumped: " },
      { text: `${stripDot(proof.reason)}.`, tone: "problem" },
    ];
  }
  if (proof.verdict === "unverifiable") {
    return [
      { text: "This backup could not be verified: " },
      { text: `${stripDot(proof.reason)}.`, tone: "warning" },
    ];
  }
  if (proof.byCount)
    return [
      { text: "This backup restores with every table's rows complete; not every content was compared." },
    ];
  if (proof.level === "restored" || proof.level === "asserted") {
    return [{ text: "This backup restores to exactly what was dumped." }];
  }
  return [{ text: "This backup is present and readable, and has not been restored." }];
}
