import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { WorkContext } from "../../engines/engine.ts";

/** A work context in a folder tree of its own, with the lines that were logged. */
export async function testWork(
  signal: AbortSignal = new AbortController().signal,
): Promise<{ work: WorkContext; tempRoot: string; lines: string[]; remove: () => Promise<void> }> {
  const tempRoot = await mkdtemp(path.join(tmpdir(), "hf-box-"));
  // As the system's temporary folder: every user may pass through.
  await chmod(tempRoot, 0o711);
  const tempDir = await mkdtemp(path.join(tempRoot, "work-"));
  const lines: string[] = [];
  const work: WorkContext = {
    signal,
    log: (line) => lines.push(line),
    progress: () => undefined,
    tempDir,
    applicationName: "holdfast:test",
  };
  return { work, tempRoot, lines, remove: () => rm(tempRoot, { recursive: true, force: true }) };
}
