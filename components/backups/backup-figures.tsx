/** The figures of a backup, each with its unit and what it compares to. */
import { type Figure, Figures } from "@/components/ui/key-values";
import type { BackupDto } from "@/lib/backups/schema";
import { formatBytes, formatCount, formatDuration, formatRate, plural } from "@/lib/format";

function dumpFigure({ dumpSeconds, plainBytes }: BackupDto): Figure {
  if (dumpSeconds === null) return { name: "Dump", value: "–" };
  const rate = plainBytes && dumpSeconds > 0 ? formatRate(plainBytes / dumpSeconds, "bytes") : null;
  return { name: "Dump", value: formatDuration(dumpSeconds), note: rate };
}

function tablesFigure({ proof, tableCount, rowCount }: BackupDto): Figure {
  if (!proof || proof.tableCounts.equal + proof.tableCounts.different === 0) {
    const rows = rowCount === null ? null : plural(rowCount, "row");
    return { name: "Tables", value: tableCount === null ? "–" : formatCount(tableCount), note: rows };
  }
  const { equal, different, notCompared } = proof.tableCounts;
  const value = `${formatCount(equal)} of ${formatCount(equal + different)}`;
  const parts = [
    different > 0 ? plural(different, "differs", "differ") : null,
    notCompared > 0 ? `${formatCount(notCompared)} not compared` : null,
  ];
  const note = parts.filter(Boolean).join(", ") || (proof.byCount ? "some by count" : "by content");
  return { name: "Tables equal", value, note, ...(different > 0 ? { tone: "problem" as const } : {}) };
}

function copiesFigure({ copies, removal }: BackupDto): Figure {
  if (removal) return { name: "Copies", value: removal.removedAt ? "deleted" : "being deleted" };
  const stored = copies.filter((copy) => copy.state === "stored");
  const bad = copies.length - stored.length - copies.filter((copy) => copy.state === "writing").length;
  const note = bad > 0 ? `${bad} not good` : stored.map((copy) => copy.destination).join(", ");
  return {
    name: "Copies",
    value: `${stored.length} stored`,
    note,
    ...(bad > 0 ? { tone: "problem" as const } : {}),
  };
}

export function BackupFigures({ backup }: { backup: BackupDto }) {
  const { sizeBytes, plainBytes, proof } = backup;
  return (
    <Figures
      items={[
        {
          name: "Size stored",
          value: sizeBytes === null ? "–" : formatBytes(sizeBytes),
          note: plainBytes === null ? null : `${formatBytes(plainBytes)} dumped`,
        },
        dumpFigure(backup),
        {
          name: "Restore, measured",
          value: proof?.restoreSeconds ? formatDuration(proof.restoreSeconds) : "–",
          note: proof?.restoreSeconds ? "into the sandbox" : "not restored yet",
        },
        tablesFigure(backup),
        copiesFigure(backup),
      ]}
    />
  );
}
