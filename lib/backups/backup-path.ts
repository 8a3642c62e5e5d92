/**
 * Folder of a backup, relative to each destination's root:
 * "<install id>/<database>/<UTC time, ISO 8601 basic>-<backup id>".
 */
export function backupPath(installId: string, database: string, at: Date, backupId: string): string {
  const time = at.toISOString().replace(/[-:]|\.\d+/g, "");
  return `${installId}/${database}/${time}-${backupId}`;
}
