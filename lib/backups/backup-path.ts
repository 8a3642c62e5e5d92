import path from "node:path";

const SECOND_MS = 1_000;

/**
 * Folder of a backup, relative to each destination's root:
 * "<install id>/<database>/<UTC time, ISO 8601 basic>-<backup id>".
 */
export function backupPath(installId: string, database: string, at: Date, backupId: string): string {
  return `${installId}/${database}/${folderName(at, backupId)}`;
}

/**
 * A folder for another writing of the same backup, beside those that are there already: of the given time, or of
 * the first second after it that none of them has.
 */
export function nextBackupPath(taken: readonly string[], at: Date, backupId: string): string {
  const [first] = taken;
  if (first === undefined) throw new Error("a backup without a path");
  for (let time = at.getTime(); ; time += SECOND_MS) {
    const candidate = path.posix.join(path.posix.dirname(first), folderName(new Date(time), backupId));
    if (!taken.includes(candidate)) return candidate;
  }
}

function folderName(at: Date, backupId: string): string {
  return `${at.toISOString().replace(/[-:]|\.\d+/g, "")}-${backupId}`;
}
