import type { Progress } from "../../operations/schema.ts";
import type { TransferIo } from "../io.ts";

export interface RecordingIo extends TransferIo {
  steps: string[];
  lines: string[];
  reports: Progress[];
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
    abort: (reason) => controller.abort(reason),
    log: (line, level = "info") => void io.lines.push(`${level}: ${line}`),
    progress(progress) {
      io.reports.push(progress);
      onReport(progress, io);
    },
    step: (name) => void io.steps.push(name),
  };
  return io;
}
