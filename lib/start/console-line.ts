import { z } from "zod";

const WARN = 40;
const logLine = z.object({
  level: z.number(),
  msg: z.string().optional(),
  err: z.object({ message: z.string() }).optional(),
});

/**
 * What the person at the console gets to see of a child's output: warnings and errors of our log, and what else
 * comes on stderr (a crash). Returns null for the rest, which is in the log file.
 */
export function consoleLine(child: string, line: string, stream: "stdout" | "stderr"): string | null {
  if (line.trim() === "") return null;
  const entry = logLine.safeParse(parse(line));
  if (!entry.success) return stream === "stderr" ? `${child}: ${line}` : null;
  const { level, msg, err } = entry.data;
  if (level < WARN) return null;
  const text = [msg, err?.message].filter((part) => part !== undefined && part !== "").join(": ");
  return `${child}: ${level >= 50 ? "error" : "warning"}: ${text}`;
}

function parse(line: string): unknown {
  if (!line.startsWith("{")) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
