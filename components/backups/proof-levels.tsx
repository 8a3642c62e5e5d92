/** The four levels of a proof: reached, failed at, or not reached. */

import { proofLevels } from "@/components/ui/state-lists";
import { ToneIcon } from "@/components/ui/status";
import type { BackupDto } from "@/lib/backups/schema";
import classes from "./proof-levels.module.css";

const MEANING: Record<(typeof proofLevels)[number], { title: string; reached: string; failed: string }> = {
  present: {
    title: "Present",
    reached: "every object re-read, sha256 equal",
    failed: "an object is missing or altered",
  },
  readable: {
    title: "Readable",
    reached: "decrypted and parsed to the end",
    failed: "it cannot be read to the end",
  },
  restored: {
    title: "Restored",
    reached: "restored and compared, table by table",
    failed: "what was restored differs",
  },
  asserted: {
    title: "Asserted",
    reached: "your own checks hold",
    failed: "one of your checks does not hold",
  },
};

export function ProofLevels({ proof }: { proof: NonNullable<BackupDto["proof"]> }) {
  const reached = proof.level ? proofLevels.indexOf(proof.level) : -1;
  return (
    <ol className={classes.levels}>
      {proofLevels.map((level, index) => {
        const { title, reached: good, failed } = MEANING[level];
        const stopped = index === reached + 1 && proof.verdict !== "proven";
        const tone =
          index <= reached
            ? "ok"
            : stopped
              ? proof.verdict === "failed"
                ? "problem"
                : "warning"
              : "unknown";
        const unreached = level === "asserted" ? "no assertions are set up" : "not reached";
        const text =
          index <= reached
            ? good
            : stopped
              ? proof.verdict === "failed"
                ? failed
                : proof.reason
              : unreached;
        return (
          <li key={level} data-tone={tone}>
            <strong>
              <ToneIcon tone={tone} /> {title}
            </strong>
            <span>{text}</span>
          </li>
        );
      })}
    </ol>
  );
}
