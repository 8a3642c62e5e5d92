// A worker that holds a real transfer child, to be killed or frozen by a test.
import { runTransferProcess } from "../transfer-process.ts";

await runTransferProcess(JSON.parse(process.argv[2] ?? ""), {
  signal: new AbortController().signal,
  silenceMs: Number(process.argv[3] ?? 20_000),
  onLog: () => undefined,
  onProgress: () => undefined,
  onSign: () => undefined,
  onStep: (name) => process.send?.(name),
});
