"use client";
/** A page whose thing is not there or could not be read. */
import { toProblem } from "@/lib/api-client";
import { ErrorPanel } from "./error-panel";
import { PageHeader } from "./page-header";

export function UnreadPage({
  what,
  name,
  trail = [],
  query,
}: {
  /** "database". */
  what: string;
  /** "shop-production", where its name is known. */
  name?: string;
  trail?: { label: string; href: string }[];
  query: { error: unknown; isFetching: boolean; refetch: () => unknown };
}) {
  if (toProblem(query.error).status === 404) {
    return (
      <PageHeader
        trail={trail}
        title={name ? `There is no ${what} ${name}.` : `There is no such ${what}.`}
        facts={["It was renamed, removed or never there, or it is out of your limits."]}
      />
    );
  }
  return (
    <>
      <PageHeader trail={trail} title={`${name ?? `This ${what}`} could not be read.`} />
      <ErrorPanel
        title="The server did not answer with it"
        error={query.error}
        onRetry={() => void query.refetch()}
        retrying={query.isFetching}
      />
    </>
  );
}
