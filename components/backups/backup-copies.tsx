/** Where the backup lies, and its stored files. */
import { PlainTable } from "@/components/ui/data-table";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { copyWord } from "@/components/ui/state-words";
import { Status } from "@/components/ui/status";
import type { BackupDto } from "@/lib/backups/schema";
import { formatBytes } from "@/lib/format";
import classes from "./backup-copies.module.css";

export function BackupCopies({ backup }: { backup: BackupDto }) {
  return (
    <>
      <Section title="Copies">
        <Panel>
          <PlainTable
            label="Copies"
            rows={backup.copies}
            rowKey={(copy) => copy.id}
            columns={[
              {
                key: "destination",
                header: "Destination",
                main: true,
                width: "16%",
                cell: (copy) => copy.destination,
              },
              {
                key: "state",
                header: "State",
                width: "22%",
                cell: (copy) => {
                  const { tone, word } = copyWord(copy.state);
                  return (
                    <Status tone={tone} detail={copy.reason}>
                      {word}
                    </Status>
                  );
                },
              },
              {
                key: "path",
                header: "Path",
                cell: (copy) => <code className={classes.path}>{copy.path}</code>,
              },
              {
                key: "checked",
                header: "Re-read",
                width: "120px",
                cell: (copy) => (copy.checkedAt ? <RelativeTime at={copy.checkedAt} still /> : "never"),
              },
            ]}
          />
        </Panel>
      </Section>
      {backup.artefacts.length > 0 ? (
        <Section title="Files" note={backup.toolVersion}>
          <Panel>
            <PlainTable
              label="Files of this backup"
              rows={backup.artefacts}
              rowKey={(artefact) => artefact.file}
              columns={[
                {
                  key: "file",
                  header: "File",
                  main: true,
                  cell: (artefact) => <code className={classes.path}>{artefact.file}</code>,
                },
                {
                  key: "bytes",
                  header: "Stored",
                  width: "100px",
                  align: "end",
                  cell: (artefact) => formatBytes(artefact.bytes),
                },
                {
                  key: "plain",
                  header: "Dumped",
                  width: "100px",
                  align: "end",
                  cell: (artefact) => formatBytes(artefact.plainBytes),
                },
                {
                  key: "sha",
                  header: "sha256",
                  wideOnly: true,
                  cell: (artefact) => <code className={classes.path}>{artefact.sha256}</code>,
                },
                { key: "enc", header: "Encrypted", cell: (artefact) => (artefact.encrypted ? "age" : "no") },
              ]}
            />
          </Panel>
        </Section>
      ) : null}
    </>
  );
}
