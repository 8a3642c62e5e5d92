// Stands for the transfer child where its parent's patience is tested; what it does is in the spec's manifest.
import { spawn } from "node:child_process";

const say = (message: object) => process.send?.(message);
const forever = () => setInterval(() => undefined, 1_000);

/** In a group of its own, as database programs are. */
function startGrandchild(): void {
  const { pid } = spawn("sleep", ["300"], { detached: true, stdio: "ignore" });
  say({ type: "log", line: `grandchild ${pid}`, level: "info" });
}

const BEHAVIOURS: Record<string, () => void> = {
  talk() {
    say({ type: "step", name: "First", detail: null });
    say({ type: "log", line: `environment ${Object.keys(process.env).sort().join(" ")}`, level: "info" });
    say({ type: "progress", progress: { label: "Bytes", done: 1, total: 2, unit: "bytes" } });
    say({ type: "sign", sign: { moving: true } });
    say({ type: "sign", sign: { moving: false, why: "waits for a lock" } });
    say({ type: "step", name: "Second", detail: "ten rows" });
    say({ type: "result", result: { manifestText: "{}", copies: [], dumpSeconds: 1 } });
  },
  settle() {
    say({ type: "unsettled", id: 1, what: { swap: 1 } });
  },
  error() {
    say({
      type: "error",
      error: { code: "conflict", message: "It is there already.", remedy: "Remove it." },
    });
  },
  crash() {
    process.exit(3);
  },
  die() {
    startGrandchild();
    // Once its parent has seen what runs below it.
    setTimeout(() => process.kill(process.pid, "SIGKILL"), 2_500);
  },
  babble() {
    say({ type: "nonsense" });
    process.exit(0);
  },
  wrong() {
    say({ type: "result", result: { manifestText: 1 } });
  },
  deaf() {
    process.on("SIGTERM", () => undefined);
    startGrandchild();
    forever();
  },
  linger() {
    say({ type: "log", line: "lingering", level: "info" });
    forever();
  },
};

type Message =
  | { type: "start"; spec: { manifest: { behave: string } } }
  | { type: "abort"; reason: string }
  | { type: "noted"; id: number; error: string | null };

process.on("message", (message: Message) => {
  if (message.type === "start") BEHAVIOURS[message.spec.manifest.behave]?.();
  if (message.type === "abort") say({ type: "log", line: `told: ${message.reason}`, level: "info" });
  if (message.type !== "noted") return;
  say({ type: "log", line: `noted ${message.error}`, level: "info" });
  if (message.id === 1) say({ type: "unsettled", id: 2, what: { refuse: true } });
  else say({ type: "result", result: {} });
});
say({ type: "ready" });
