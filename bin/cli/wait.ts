import { setTimeout as delay } from "node:timers/promises";
import { formatBytes, formatCount } from "../../lib/format.ts";
import type { OperationDto } from "../../lib/operations/schema.ts";
import { finalStates } from "../../lib/operations/schema.ts";
import type { Client } from "./client.ts";
import { segment } from "./client.ts";
import { CliError, EXIT } from "./exit.ts";

const POLL_MS = 300;
const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600 };

/** "90s", "10m", "2h" or plain seconds, as milliseconds; throws exit 2 on anything else. */
export function parseTimeout(text: string): number {
  const match = /^(\d+)([smh]?)$/.exec(text.trim());
  const amount = Number(match?.[1]);
  if (!match || amount <= 0) {
    throw new CliError(EXIT.usage, `--timeout ${text} is not a duration.`, "Write 90s, 10m or 2h.");
  }
  return amount * (UNITS[match[2] || "s"] ?? 1) * 1000;
}

/** A moment in the future, shared by all the operations that one command follows. */
export function deadlineIn(timeout: string): number {
  return Date.now() + parseTimeout(timeout);
}

/** Follows an operation to its final state, with progress on a terminal's stderr; throws exit 5 at the deadline. */
export async function waitForOperation(client: Client, id: string, deadline: number): Promise<OperationDto> {
  const shown = progressLine();
  for (;;) {
    const operation = await client.get<OperationDto>(`/operations/${segment(id)}`);
    if (finalStates.includes(operation.state)) {
      shown.end(`${operation.title}: ${operation.state}${operation.reason ? `, ${operation.reason}` : ""}`);
      return operation;
    }
    shown.update(summary(operation));
    if (Date.now() + POLL_MS > deadline) {
      shown.end("");
      throw new CliError(
        EXIT.timedOut,
        `${operation.title} is still ${operation.state}; stopped waiting.`,
        `It goes on. Look with: holdfast operation show ${id}`,
      );
    }
    await delay(POLL_MS);
  }
}

function summary(operation: OperationDto): string {
  const { progress } = operation;
  if (operation.state === "queued" || !progress) {
    const step = operation.steps.findLast((entry) => entry.state === "running");
    return `${operation.title}: ${step?.name ?? operation.reason ?? operation.state}`;
  }
  const amount = (value: number) => (progress.unit === "bytes" ? formatBytes(value) : formatCount(value));
  const total = progress.total === null ? "" : ` of ${amount(progress.total)}`;
  const unit = progress.unit === "bytes" ? "" : ` ${progress.unit}`;
  return `${operation.title}: ${progress.label} ${amount(progress.done)}${total}${unit}`;
}

/** One line that rewrites itself on a terminal; elsewhere only the end is written. */
function progressLine(): { update(text: string): void; end(text: string): void } {
  const tty = process.stderr.isTTY === true;
  const clear = () => {
    if (tty) process.stderr.write("\r\u001b[K");
  };
  return {
    update(text) {
      if (!tty) return;
      clear();
      process.stderr.write(text.slice(0, (process.stderr.columns ?? 80) - 1));
    },
    end(text) {
      clear();
      if (text !== "") process.stderr.write(`${text}\n`);
    },
  };
}
