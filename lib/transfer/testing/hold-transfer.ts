// A worker that holds a real transfer child, to be killed by a test.
import { runTransferProcess } from "../transfer-process.ts";

await runTransferProcess(JSON.parse(process.argv[2] ?? ""), {
  signal: new AbortController().signal,
  onLog: () => undefined,
  onProgress: () => undefined,
  onStep: (name) => process.send?.(name),
});
