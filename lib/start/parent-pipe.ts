/**
 * Calls `gone` once when the parent process is gone, however it went: under HOLDFAST_SUPERVISED=1 our stdin is
 * a pipe that the parent holds open and never writes to. Does nothing for a process started by hand.
 */
export function onParentGone(gone: () => void): void {
  if (process.env.HOLDFAST_SUPERVISED !== "1") return;
  let called = false;
  const once = () => {
    if (called) return;
    called = true;
    gone();
  };
  // Its ends of stdout and stderr close as well; an unheard error of theirs would be printed to them, for ever.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  process.stdin.on("end", once).on("close", once).on("error", once);
  process.stdin.resume();
  process.stdin.unref();
}
