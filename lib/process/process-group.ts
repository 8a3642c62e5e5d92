const live = new Set<number>();

/** Sends a signal to a whole process group; one that has gone already is no error. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

/** SIGTERM now, SIGKILL after the grace period; the returned function calls the second one off. */
export function endGroup(pid: number, graceMs: number): () => void {
  killGroup(pid, "SIGTERM");
  const timer = setTimeout(() => killGroup(pid, "SIGKILL"), graceMs);
  return () => clearTimeout(timer);
}

/** Ends the group when this process exits by itself; the returned function forgets it. */
export function trackGroup(pid: number): () => void {
  if (live.size === 0) process.once("exit", killLive);
  live.add(pid);
  return () => {
    live.delete(pid);
    if (live.size === 0) process.off("exit", killLive);
  };
}

function killLive(): void {
  for (const pid of live) killGroup(pid, "SIGKILL");
}
