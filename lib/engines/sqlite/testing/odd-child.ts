// Stands in a sandbox for a program that is no longer itself: each task goes wrong in another way.
import { createInterface } from "node:readline";

const ODD: Record<string, () => void> = {
  /** No end of a line. */
  restore() {
    const text = "x".repeat(1_000_000);
    const more = () => process.stdout.write(text, more);
    more();
  },
  /** Of the right kind and the wrong shape. */
  fingerprint: () => process.stdout.write(`${JSON.stringify({ type: "result", value: { equal: true } })}\n`),
  check: () => process.stdout.write("all is well\n"),
};

createInterface({ input: process.stdin }).on("line", (line) => ODD[JSON.parse(line).task]?.());
process.stdout.write(`${JSON.stringify({ type: "ready", version: "3.0.0" })}\n`);
