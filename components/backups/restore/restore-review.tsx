"use client";
/** What the restore will do, in the order in which it happens. */
import { verdictWord } from "@/components/ui/state-words";
import { Status } from "@/components/ui/status";
import type { BackupDto } from "@/lib/backups/schema";
import { formatBytes, formatDuration, plural } from "@/lib/format";
import classes from "./restore-review.module.css";
import type { RestoreValues } from "./restore-values";

function steps(backup: BackupDto, values: RestoreValues): string[] {
  const rows = backup.rowCount === null ? "all rows" : plural(backup.rowCount, "row");
  const compare = "Compare the copy with the manifest, table by table. A difference stops here.";
  if (values.kind === "new") {
    return [
      `Make the database ${values.name} on the server of ${values.on}.`,
      `Restore ${rows} into it.`,
      compare,
      ...(values.register ? [`Register ${values.name} in Holdfast.`] : []),
    ];
  }
  return [
    `Back up ${values.database} as it is now. Without that safety backup nothing is replaced.`,
    `Restore ${rows} into a copy beside ${values.database}.`,
    compare,
    `Put the copy in the place of ${values.database}. Everything written since this backup is only in the safety backup.`,
  ];
}

export function RestoreReview({ backup, values }: { backup: BackupDto; values: RestoreValues }) {
  const { tone, word } = verdictWord(backup.proof);
  const seconds = backup.proof?.restoreSeconds;
  return (
    <div className={classes.review}>
      <Status tone={tone} detail={backup.proof?.reason}>
        This backup is {word}
      </Status>
      <ol>
        {steps(backup, values).map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ol>
      <p className={classes.note}>
        {backup.plainBytes === null ? null : `${formatBytes(backup.plainBytes)} to restore`}
        {seconds ? `, about ${formatDuration(seconds)} as measured in the last proof` : null}.
      </p>
    </div>
  );
}
