import { formatBytes, formatDuration } from "../../lib/format.ts";

/** `--json` prints the API's answer as it is; otherwise `text` makes lines for people. */
export function print<T>(json: boolean, value: T, text: (value: T) => string): void {
  const out = json ? JSON.stringify(value, null, 2) : text(value);
  if (out !== "") process.stdout.write(`${out}\n`);
}

/** Columns padded to their widest cell. */
export function table(header: string[], rows: string[][]): string {
  const all = [header.map((cell) => cell.toUpperCase()), ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function bytes(value: number | null): string {
  return value === null ? "-" : formatBytes(value);
}

export function seconds(value: number | null): string {
  return value === null ? "-" : formatDuration(value);
}
