import { RelativeTime } from "@/components/ui/relative-time";
import { Status } from "@/components/ui/status";
import type { TokenDto } from "@/lib/tokens/schema";

/** Whether a token works, and until when; if not, why. */
export function TokenState({ token }: { token: TokenDto }) {
  const { state, expiresAt } = token;
  const ends = expiresAt ? <RelativeTime at={expiresAt} still /> : null;
  if (state === "owner-disabled") {
    return (
      <Status tone="warning" detail="its owner is disabled">
        does not work
      </Status>
    );
  }
  if (state === "expired") {
    return (
      <Status tone="unknown" detail={ends}>
        expired
      </Status>
    );
  }
  return (
    <Status tone="ok" detail={ends ? <>ends {ends}</> : "never ends"}>
      works
    </Status>
  );
}
