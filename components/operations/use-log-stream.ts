"use client";
import { useEffect, useState } from "react";
import type { LogLine } from "@/lib/operations/schema";

export interface LogStream {
  lines: LogLine[];
  /** "live" while the operation goes on, "ended" after its last line. */
  state: "connecting" | "live" | "reconnecting" | "ended";
}

const FLUSH_MS = 100;

/** All lines of an operation, then new ones as they come; resumes by itself after a cut connection. */
export function useLogStream(operationId: string): LogStream {
  const [stream, setStream] = useState<LogStream>({ lines: [], state: "connecting" });

  useEffect(() => {
    setStream({ lines: [], state: "connecting" });
    const source = new EventSource(`/api/v1/operations/${operationId}/log/stream`);
    let fresh: LogLine[] = [];
    // Thousands of lines a second would render as often; ten times is enough to read along.
    const timer = setInterval(() => {
      if (fresh.length === 0) return;
      const added = fresh;
      fresh = [];
      setStream((old) => ({ ...old, lines: [...old.lines, ...added] }));
    }, FLUSH_MS);
    source.onopen = () => setStream((old) => ({ ...old, state: "live" }));
    source.onerror = () => setStream((old) => ({ ...old, state: "reconnecting" }));
    source.onmessage = (event: MessageEvent<string>) => {
      fresh.push(JSON.parse(event.data) as LogLine);
    };
    source.addEventListener("end", () => {
      source.close();
      const added = fresh;
      fresh = [];
      setStream((old) => ({ lines: [...old.lines, ...added], state: "ended" }));
    });
    return () => {
      clearInterval(timer);
      source.close();
    };
  }, [operationId]);

  return stream;
}
