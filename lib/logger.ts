import type { Logger } from "pino";
import { pino } from "pino";

export type { Logger } from "pino";

/** One JSON line per event on stdout; fields that could carry secrets are removed. */
export function createLogger(name: string, level: string): Logger {
  return pino({
    name,
    level,
    redact: {
      paths: ["*.password", "*.secret", "*.token", "*.authorization", "password", "secret", "token"],
      censor: "[redacted]",
    },
  });
}
