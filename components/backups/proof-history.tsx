/** Earlier proofs of the same backup, newest first. */
import { PlainTable } from "@/components/ui/data-table";
import { RelativeTime } from "@/components/ui/relative-time";
import { Panel, Section } from "@/components/ui/section";
import { verdictWord } from "@/components/ui/state-words";
import { Status } from "@/components/ui/status";
import type { BackupDto } from "@/lib/backups/schema";
import { formatDuration } from "@/lib/format";

export function ProofHistory({ proofs }: { proofs: BackupDto["proofs"] }) {
  return (
    <Section title="All proofs of this backup">
      <Panel>
        <PlainTable
          label="Proofs"
          rows={proofs}
          rowKey={(proof) => proof.id}
          href={(proof) => `/operations/${proof.operationId}`}
          columns={[
            {
              key: "at",
              header: "When",
              main: true,
              cell: (proof) => <RelativeTime at={proof.finishedAt} still />,
            },
            {
              key: "verdict",
              header: "Verdict",
              cell: (proof) => {
                const { tone, word } = verdictWord(proof);
                return (
                  <Status tone={tone} detail={proof.reason}>
                    {word}
                  </Status>
                );
              },
            },
            { key: "copy", header: "Copy", cell: (proof) => proof.destination },
            {
              key: "restore",
              header: "Restored in",
              align: "end",
              cell: (proof) => (proof.restoreSeconds === null ? "–" : formatDuration(proof.restoreSeconds)),
            },
          ]}
        />
      </Panel>
    </Section>
  );
}
