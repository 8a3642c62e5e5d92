import type { Logger } from "pino";
import { pino } from "pino";

export type { Logger } from "pino";

/** One JSON line per event on stdout, or in `file`; fields that could carry secrets are removed. */
export function createLogger(name: string, level: string, file?: string): Logger {
  const options = {
    name,
    level,
    redact: {
      paths: ["*.password", "*.secret", "*.token", "*.authorization", "password", "secret", "token"],
      censor: "[redacted]",
    },
  };
  return file ? pino(options, pino.destination({ dest: file, sync: true, mode: 0o600 })) : pino(options);
}
