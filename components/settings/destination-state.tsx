/** Whether a destination answers, and what its credentials can't do. */
import { RelativeTime } from "@/components/ui/relative-time";
import { Status } from "@/components/ui/status";
import type { DestinationDto } from "@/lib/destinations/schema";

const LACKS = {
  read: "Nothing there can be proven or restored from here: its credentials can't read.",
  list: "What lies there can't be looked through: its credentials can't list.",
  delete: "What a failed backup leaves there stays: its credentials can't delete.",
};

export function DestinationState({ row }: { row: DestinationDto }) {
  if (row.archivedAt) return <Status tone="unknown">archived, gets no new copies</Status>;
  if (row.checkError) {
    return (
      <Status tone="problem" detail={row.checkError}>
        does not answer
      </Status>
    );
  }
  if (!row.checkedAt) return <Status tone="unknown">not tested yet</Status>;
  if (row.lacks.length > 0) {
    return (
      <Status tone="warning" detail={row.lacks.map((lack) => LACKS[lack]).join(" ")}>
        can be written, can't {row.lacks.join(" or ")}
      </Status>
    );
  }
  if (row.warnings.length > 0) {
    return (
      <Status tone="warning" detail={row.warnings.join(" ")}>
        answers
      </Status>
    );
  }
  return (
    <Status tone="ok" detail={<RelativeTime at={row.checkedAt} still />}>
      answers
    </Status>
  );
}
