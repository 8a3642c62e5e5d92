"use client";
import { FailedPage, RefusedPage } from "@/components/ui/failed-page";
import { REFUSED } from "@/lib/errors";

export default function ConsoleError({
  error,
  reset,
}: {
  error: Error & { digest?: string };
  reset: () => void;
}) {
  if (error.digest?.startsWith(REFUSED)) return <RefusedPage reason={error.digest.slice(REFUSED.length)} />;
  return <FailedPage digest={error.digest} onRetry={reset} />;
}
