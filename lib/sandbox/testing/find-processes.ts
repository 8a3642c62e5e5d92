import { readdir, readFile } from "node:fs/promises";

/** Numbers of the processes on this Linux host whose command line holds the text. */
export async function findProcesses(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    if (command.includes(text)) found.push(Number(entry));
  }
  return found;
}
