"use client";
/** Pages that were refused or could not be made, for error boundaries of routes. */
import { Button } from "@mantine/core";
import { ProblemPanel } from "./error-panel";
import { PageHeader } from "./page-header";

export function FailedPage({ digest, onRetry }: { digest?: string | undefined; onRetry: () => void }) {
  return (
    <>
      <PageHeader title="This page could not be made." />
      <ProblemPanel
        title="The server failed while making it"
        problem={{
          message: "Nothing was changed. The server's log says why, under the reference below.",
          remedy: "Try again; if it stays, look at the log.",
          requestId: digest ?? null,
        }}
      >
        <Button variant="default" size="xs" onClick={onRetry}>
          Try again
        </Button>
      </ProblemPanel>
    </>
  );
}

export function RefusedPage({ reason }: { reason: string }) {
  return (
    <>
      <PageHeader title="This page is not open to you." />
      <ProblemPanel
        title="You were refused"
        problem={{
          message: reason,
          remedy: "Ask an admin to do it, or to change your role under Settings, Members.",
          requestId: null,
        }}
      />
    </>
  );
}
