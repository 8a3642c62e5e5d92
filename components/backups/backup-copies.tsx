/** Where the backup lies, what is to be done about a copy that is not good, and its stored files. */
import { PlainTable } from "@/components/ui/data-table";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { copyWord } from "@/components/ui/state-words";
import { Status } from "@/components/ui/status";
import type { BackupDto } from "@/lib/backups/schema";
import { formatBytes } from "@/lib/format";
import classes from "./backup-copies.module.css";
import type { CopyBackup } from "./backup-page";
import { CopyAgain } from "./copy-again";

type Copy = BackupDto["copies"][number];

/** What can be made again; one that is out of reach may be there. */
const isLacking = ({ state, archived }: Copy) =>
  !archived && (state === "failed" || state === "missing" || state === "altered");
const canCopy = ({ state, copies }: BackupDto) =>
  (state === "complete" || state === "partial") &&
  copies.some((copy) => copy.state === "stored" || copy.state === "unreachable");

/** Why it is so, and what happens by itself. */
function CopyDetail({ copy }: { copy: Copy }) {
  if (!copy.retryAt) return copy.reason;
  return (
    <>
      {copy.reason} Made again by itself <RelativeTime at={copy.retryAt} />.
    </>
  );
}

interface Props {
  backup: BackupDto;
  /** Null for those who may not. */
  copy: CopyBackup | null;
  onStarted: () => void;
}

export function BackupCopies({ backup, copy, onStarted }: Props) {
  const again = copy && canCopy(backup) ? copy : null;
  return (
    <>
      <Section title="Copies">
        <Panel>
          <PlainTable
            label="Copies"
            rows={backup.copies}
            rowKey={(row) => row.id}
            columns={[
              {
                key: "destination",
                header: "Destination",
                main: true,
                width: "16%",
                cell: (row) => (row.archived ? `${row.destination} (archived)` : row.destination),
              },
              {
                key: "state",
                header: "State",
                width: "30%",
                cell: (row) => {
                  const { tone, word } = copyWord(row.state);
                  return (
                    <Status tone={tone} detail={<CopyDetail copy={row} />}>
                      {word}
                    </Status>
                  );
                },
              },
              {
                key: "path",
                header: "Path",
                cell: (row) => <code className={classes.path}>{row.path}</code>,
              },
              {
                key: "checked",
                header: "Re-read",
                width: "110px",
                cell: (row) => (row.checkedAt ? <RelativeTime at={row.checkedAt} still /> : "never"),
              },
              ...(again
                ? [
                    {
                      key: "again",
                      header: "Make it again",
                      hideHeader: true,
                      width: "190px",
                      align: "end" as const,
                      cell: (row: Copy) =>
                        isLacking(row) ? (
                          <CopyAgain backup={backup} row={row} copy={again} onStarted={onStarted} />
                        ) : null,
                    },
                  ]
                : []),
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
