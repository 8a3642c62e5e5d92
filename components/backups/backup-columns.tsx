/** Columns of lists of backups. */
import type { Column } from "@/components/ui/data-table";
import { RelativeTime } from "@/components/ui/relative-time";
import { backupWord, copyWord, verdictWord } from "@/components/ui/state-words";
import { Status } from "@/components/ui/status";
import type { BackupItem } from "@/lib/backups/schema";
import { formatBytes, formatDuration } from "@/lib/format";

/** How a backup stands: its proof, or why there is nothing to prove. */
function ProofStatus({ backup }: { backup: BackupItem }) {
  if (backup.state === "running") return <Status tone="running">being made</Status>;
  if (backup.removal) {
    return (
      <Status tone="unknown" detail={backup.removal.reason}>
        {backup.removal.removedAt ? "deleted" : "being deleted"}
      </Status>
    );
  }
  if (backup.state !== "complete" && backup.state !== "partial") {
    const { tone, word } = backupWord(backup.state);
    return (
      <Status tone={tone} detail={backup.reason}>
        {word}
      </Status>
    );
  }
  const { tone, word } = verdictWord(backup.proof);
  const seconds = backup.proof?.restoreSeconds;
  const proven = backup.proof?.verdict === "proven";
  const detail = proven ? (seconds ? `restores in ${formatDuration(seconds)}` : null) : backup.proof?.reason;
  return (
    <Status tone={tone} detail={detail}>
      {word}
    </Status>
  );
}

/** The copy that needs someone, or where the good ones lie. */
function copies(backup: BackupItem) {
  if (backup.state === "failed" || backup.state === "cancelled" || backup.state === "interrupted") return "–";
  if (backup.removal?.removedAt) return "–";
  const bad = backup.copies.find((copy) => copy.state !== "stored" && copy.state !== "writing");
  if (!bad) return backup.copies.map((copy) => copy.destination).join(", ") || "–";
  const { tone, word } = copyWord(bad.state);
  return <Status tone={tone}>{`${bad.destination}: ${word}`}</Status>;
}

const taken: Column<BackupItem> = {
  key: "created",
  header: "Taken",
  width: "140px",
  cell: (row) => <RelativeTime at={row.createdAt} still />,
};
const standing: Column<BackupItem>[] = [
  { key: "proof", header: "Proof", cell: (row) => <ProofStatus backup={row} /> },
  {
    key: "size",
    header: "Stored",
    align: "end",
    width: "100px",
    cell: (row) => (row.sizeBytes === null ? "–" : formatBytes(row.sizeBytes)),
  },
  { key: "copies", header: "Copies", wideOnly: true, cell: copies },
];

export const backupColumns: Column<BackupItem>[] = [
  { key: "database", header: "Database", main: true, width: "24%", cell: (row) => row.database },
  taken,
  ...standing,
];

/** Where all are of one database: the time names the row. */
export const backupColumnsOfOne: Column<BackupItem>[] = [{ ...taken, main: true }, ...standing];
