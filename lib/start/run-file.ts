import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

/** What a running install tells other programs on its host (the CLI, a second start). Contains passwords. */
const runFileSchema = z.object({
  pid: z.number().int(),
  startedAt: z.string(),
  url: z.string(),
  databaseUrl: z.string(),
  ownerDatabaseUrl: z.string(),
  keys: z.string(),
});
export type RunFile = z.infer<typeof runFileSchema>;

const file = (dataFolder: string) => path.join(dataFolder, "run.json");

export function writeRunFile(dataFolder: string, content: RunFile): void {
  writeFileSync(file(dataFolder), `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}

/** The install that runs on this data folder; null when none does, or it may not be read. */
export function findRunning(dataFolder: string): RunFile | null {
  const found = readRunFile(dataFolder);
  if (!found) return null;
  try {
    process.kill(found.pid, 0);
    return found;
  } catch (error) {
    // ESRCH: it was killed before it could remove the file.
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? null : found;
  }
}

/** What the install that runs, or last ran, on this data folder wrote; null when there is nothing to be read. */
export function readRunFile(dataFolder: string): RunFile | null {
  try {
    return runFileSchema.parse(JSON.parse(readFileSync(file(dataFolder), "utf8")));
  } catch {
    return null;
  }
}

export function removeRunFile(dataFolder: string): void {
  rmSync(file(dataFolder), { force: true });
}
