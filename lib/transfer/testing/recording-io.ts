import type { Progress } from "../../operations/schema.ts";
import type { TransferIo } from "../io.ts";

export interface RecordingIo extends TransferIo {
  steps: string[];
  lines: string[];
  reports: Progress[];
  /** What was to be written down before it was begun. */
  unsettledThings: Record<string, unknown>[];
  abort(reason: Error): void;
}

/** A transfer's io that keeps all it is told; `onReport` sees each progress as it comes. */
export function recordingIo(onReport: (progress: Progress, io: RecordingIo) => void = () => {}): RecordingIo {
  const controller = new AbortController();
  const io: RecordingIo = {
    signal: controller.signal,
    steps: [],
    lines: [],
    reports: [],
    unsettledThings: [],
    abort: (reason) => controller.abort(reason),
    log: (line, level = "info") => void io.lines.push(`${level}: ${line}`),
    progress(progress) {
      io.reports.push(progress);
      onReport(progress, io);
    },
    sign: () => undefined,
    async unsettled(what) {
      io.unsettledThings.push(what);
    },
    step: (name) => void io.steps.push(name),
  };
  return io;
}
