import { spawn } from "node:child_process";

/**
 * Waits on a pipe from the process that started the server: a line means that the server has ended in order, the
 * pipe's end without one that this process is gone. The server is then asked to end with its last session (SIGTERM),
 * and after the grace told to (SIGINT): a process with that number that works on that data folder, and no other.
 */
const WATCH = `
ours() { { tr '\\0' ' ' <"/proc/$1/cmdline" || ps -o args= -p "$1"; } 2>/dev/null | grep -qF -- "$2"; }
read -r _ && exit 0
left=$3
[ "$left" -gt 0 ] && ours "$1" "$2" && kill -TERM "$1"
while [ "$left" -gt 0 ] && ours "$1" "$2"; do left=$((left - 1)); sleep 1; done
ours "$1" "$2" && kill -INT "$1"
[ -z "$4" ] && exit 0
while ours "$1" "$2"; do sleep 0.1; done
rm -rf -- "$4"
`;

/**
 * Ends a server with this process, however that goes: a shell watches over it, in a group of its own, that not
 * even SIGKILL to ours reaches. Call the returned function once the server has ended by itself.
 */
export function endWithParent(options: {
  pid: number;
  dataDir: string;
  /** Longest time for others who still write to it, and end as well. */
  graceSeconds: number;
  /** Folder to remove after the server's end. */
  remove?: string | undefined;
}): () => void {
  const { pid, dataDir, graceSeconds, remove = "" } = options;
  const args = ["-c", WATCH, "watch", String(pid), dataDir, String(graceSeconds), remove];
  const watch = spawn("/bin/sh", args, {
    cwd: "/",
    // Nothing of ours for it to know, and for others to read: it outlives this process.
    env: environment() as NodeJS.ProcessEnv,
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // Without a shell the server is found at the next start (stopLeftover).
  watch.on("error", () => undefined);
  watch.stdin.on("error", () => undefined);
  watch.unref();
  if ("unref" in watch.stdin && typeof watch.stdin.unref === "function") watch.stdin.unref();
  return () => void watch.stdin.end("ended\n");
}

function environment(): Record<string, string> {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin" };
}
