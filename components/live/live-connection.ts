/**
 * One event stream per browser. The tab that holds the Web Lock is the leader: it follows the stream and passes
 * events on over a BroadcastChannel. When it goes away the lock passes to another tab, which resumes after the last
 * event that any tab has seen. While the stream is down the leader asks everyone to refresh at intervals.
 */
import { followEvents, type LiveEvent } from "./event-stream.ts";

export type LiveState = "connecting" | "live" | "reconnecting";
type Message =
  | { kind: "event"; event: LiveEvent }
  | { kind: "state"; state: LiveState }
  | { kind: "ask" }
  | { kind: "refresh" }
  | { kind: "signed-out" };

const CHANNEL = "holdfast-live";
const SILENCE_MS = 45_000;
const POLL_MS = 10_000;
const LONGEST_WAIT_MS = 15_000;

export interface LiveListener {
  onEvent(event: LiveEvent): void;
  onState(state: LiveState): void;
  /** Everything may be stale: events were missed or there is no stream. */
  onRefresh(): void;
  onSignedOut(): void;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Starts taking part; the returned function leaves. */
export function joinLive(listener: LiveListener): () => void {
  const stop = new AbortController();
  const channel = new BroadcastChannel(CHANNEL);
  let state: LiveState = "connecting";
  let leading = false;
  let lastId: string | null = null;

  const show = (next: LiveState) => {
    state = next;
    listener.onState(next);
  };
  const take = (event: LiveEvent) => {
    if (event.id) lastId = event.id;
    listener.onEvent(event);
  };

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.kind === "event") take(data.event);
    else if (data.kind === "state") show(data.state);
    else if (data.kind === "refresh") listener.onRefresh();
    else if (data.kind === "signed-out") listener.onSignedOut();
    else if (leading) channel.postMessage({ kind: "state", state } satisfies Message);
  };
  const tell = (message: Message) => {
    if (!stop.signal.aborted) channel.postMessage(message);
  };
  const announce = (next: LiveState) => {
    show(next);
    tell({ kind: "state", state: next });
  };
  const refresh = () => {
    listener.onRefresh();
    tell({ kind: "refresh" });
  };

  async function lead() {
    leading = true;
    let failures = 0;
    let poll: ReturnType<typeof setInterval> | undefined;
    const stopPolling = () => {
      clearInterval(poll);
      poll = undefined;
    };
    while (!stop.signal.aborted) {
      const resumed = lastId;
      const end = await followEvents({
        after: resumed,
        signal: stop.signal,
        silenceMs: SILENCE_MS,
        onOpen: () => {
          // Without an id to resume from, what happened meanwhile is not known.
          if (failures > 0 && resumed === null) refresh();
          failures = 0;
          stopPolling();
          announce("live");
        },
        onEvent: (event) => {
          take(event);
          tell({ kind: "event", event });
        },
      });
      if (stop.signal.aborted) break;
      if (end === "signed-out") {
        tell({ kind: "signed-out" });
        listener.onSignedOut();
        break;
      }
      failures += 1;
      announce("reconnecting");
      poll ??= setInterval(refresh, POLL_MS);
      const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(failures - 1, 6));
      await pause(wait * (0.75 + Math.random() / 2), stop.signal);
    }
    stopPolling();
    leading = false;
  }

  tell({ kind: "ask" });
  if (navigator.locks) {
    navigator.locks.request(CHANNEL, { signal: stop.signal }, lead).catch(() => undefined);
  } else {
    // Web Locks need a secure context: over plain http each tab has its own stream.
    void lead();
  }
  return () => {
    stop.abort();
    channel.close();
  };
}
