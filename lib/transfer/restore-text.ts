import type { Manifest } from "../backups/manifest.ts";

type Facts = Omit<Manifest, "restoreFile">;

/** RESTORE.md: how this very backup is restored with stock tools alone, without Holdfast. */
export function restoreText(manifest: Facts): string {
  const { database, artefacts } = manifest;
  const encrypted = artefacts.some((artefact) => artefact.encryption === "age");
  const rows = artefacts.map(
    ({ file, bytes, sha256, plainBytes }) => `| \`${file}\` | ${bytes} | \`${sha256}\` | ${plainBytes} |`,
  );
  const tools = Object.entries(manifest.tools).map(([tool, version]) => `- ${tool} ${version}`);
  return [
    `# Restore ${database.name} (${database.environment}) as of ${manifest.startedAt}`,
    "",
    `Backup \`${manifest.backupId}\` of the database \`${database.sourceName}\` on ${database.engine} ${database.serverVersion}. It needs nothing but ${encrypted ? "`age`, " : ""}\`zstd\` and the database's own client tools. Run the commands in the folder that holds these files; where that is a bucket or an SFTP server, fetch it first:`,
    "",
    '- bucket: `aws s3 cp --recursive "s3://BUCKET/FOLDER/" .`, with `--endpoint-url URL` for a store that is not Amazon\'s; or `rclone copy REMOTE:BUCKET/FOLDER .`',
    "- SFTP server: `sftp -r USER@HOST:FOLDER .`, then `cd` into what it made",
    "",
    "| file | bytes | sha256 | bytes before compression |",
    "|---|---|---|---|",
    ...rows,
    "",
    "## 1. Check that the files are whole",
    "",
    "```sh",
    ...artefacts.map(({ file, sha256 }) => `echo "${sha256}  ${file}" | sha256sum -c -`),
    "```",
    "",
    ...(encrypted ? keySection(manifest.recipients) : []),
    "## Restore",
    "",
    "```sh",
    ...manifest.restore,
    "```",
    "",
    "## Check the result",
    "",
    `\`manifest.json\` holds the fingerprint that was taken in the dump's own snapshot: ${manifest.fingerprint.tables.length} tables with their exact row counts, and sequences, extensions and schema. Compare at least the row counts of the tables that matter.`,
    ...manifest.fingerprint.tables
      .filter((table) => table.rows !== null)
      .sort((a, b) => (b.rows ?? 0) - (a.rows ?? 0))
      .slice(0, 10)
      .map((table) => `- \`${table.name}\`: ${table.rows} rows`),
    "",
    "## Made with",
    "",
    ...tools,
    `- Holdfast ${manifest.holdfastVersion}`,
    "",
  ].join("\n");
}

function keySection(recipients: string[]): string[] {
  return [
    "## 2. Put the key in place",
    "",
    "The files are encrypted to these age recipients; the key of any one of them opens them:",
    ...recipients.map((recipient) => `- \`${recipient}\``),
    "",
    "The server's key is `keys/identity.txt` in Holdfast's data folder. The recovery key is the line `AGE-SECRET-KEY-1…` on the printed recovery kit. Save either one here as `identity.txt`:",
    "",
    "```sh",
    "install -m 600 /path/to/holdfast/data/keys/identity.txt identity.txt   # with the server's key",
    "(umask 077; cat > identity.txt)   # or type the recovery key, then Ctrl-D",
    "```",
    "",
  ];
}
