import type { Tx } from "../db/client.ts";
import type { Proof } from "../db/generated/client.ts";

const RANK = { asserted: 4, restored: 3, readable: 2, present: 1 };

type Judged = Pick<Proof, "id" | "copyId" | "level" | "verdict" | "finishedAt">;

/**
 * Which proof speaks for a backup, given the proofs of its copies, newest first: of each copy the newest
 * conclusive one counts; the best copy that was restored wins; else one that failed; an "unverifiable" only
 * where nothing else is known. A copy that was merely seen to be present proves nothing about restoring.
 */
export function speaksFor<T extends Judged>(newestFirst: readonly T[]): T | null {
  const conclusive = new Map<string, T>();
  for (const proof of newestFirst) {
    const merelySeen = proof.verdict === "proven" && rankOf(proof) < RANK.restored;
    if (proof.verdict === "unverifiable" || merelySeen || conclusive.has(proof.copyId)) continue;
    conclusive.set(proof.copyId, proof);
  }
  const perCopy = [...conclusive.values()];
  const proven = perCopy.filter((proof) => proof.verdict === "proven");
  const best = proven.sort(
    (a, b) => rankOf(b) - rankOf(a) || b.finishedAt.getTime() - a.finishedAt.getTime(),
  )[0];
  return best ?? perCopy[0] ?? newestFirst.find((proof) => proof.verdict === "unverifiable") ?? null;
}

function rankOf(proof: Judged): number {
  return proof.level === null ? 0 : RANK[proof.level];
}

/** Repeats the proof that speaks for the backup in the backup's own columns, for lists. */
export async function repeatCurrentProof(tx: Tx, backupId: string): Promise<void> {
  const proofs = await tx.proof.findMany({
    where: { backupId },
    orderBy: [{ finishedAt: "desc" }, { id: "desc" }],
    select: {
      id: true,
      copyId: true,
      level: true,
      verdict: true,
      byCount: true,
      reason: true,
      finishedAt: true,
      restoreSeconds: true,
    },
  });
  const current = speaksFor(proofs);
  if (!current) return;
  await tx.backup.update({
    where: { id: backupId },
    data: {
      proofLevel: current.level,
      proofVerdict: current.verdict,
      proofByCount: current.byCount,
      proofReason: current.reason,
      provenAt: current.verdict === "proven" ? current.finishedAt : null,
      restoreSeconds: current.restoreSeconds,
    },
  });
}
