import { readdirSync, readFileSync } from "node:fs";

interface Memory {
  /** Sum over the process and all below it, in MiB. Shared pages count in each. */
  rssMiB: number;
  /** Proportional: shared pages are divided among those who share them. */
  pssMiB: number;
  byProcess: Record<string, number>;
}

/** Samples a process and its descendants (Linux: /proc) and keeps the moment with the largest sum. */
export class MemoryWatch {
  readonly #root: number;
  readonly #skip: (command: string) => boolean;
  readonly #timer: NodeJS.Timeout;
  peak: Memory = { rssMiB: 0, pssMiB: 0, byProcess: {} };

  /** `skip` leaves out processes (with all below them) by their command line: sandboxes' servers. */
  constructor(root: number, skip: (command: string) => boolean) {
    this.#root = root;
    this.#skip = skip;
    this.#timer = setInterval(() => this.#sample(), 50);
  }

  /** Starts a new peak. */
  reset(): void {
    this.peak = { rssMiB: 0, pssMiB: 0, byProcess: {} };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const children = childrenByParent();
    const sum: Memory = { rssMiB: 0, pssMiB: 0, byProcess: {} };
    const queue = [this.#root];
    for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
      const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
      if (command === "" || this.#skip(command)) continue;
      const rss = field(read(`/proc/${pid}/status`), "VmRSS");
      sum.rssMiB += rss;
      sum.pssMiB += field(read(`/proc/${pid}/smaps_rollup`), "Pss");
      const name = command.split(" ").slice(0, 3).join(" ");
      sum.byProcess[name] = Math.round((sum.byProcess[name] ?? 0) + rss);
      queue.push(...(children.get(pid) ?? []));
    }
    if (sum.pssMiB > this.peak.pssMiB) this.peak = sum;
  }
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    // "pid (name) state ppid …"; the name may hold spaces and brackets.
    const parent = Number(read(`/proc/${entry}/stat`).split(") ").at(-1)?.split(" ")[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  return children;
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) / 1024;
}

/** Empty when the process is gone meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
