"use client";
/** One ticking clock for the whole page, safe for server rendering: `useNow("second" | "minute")`. */
import { createContext, type ReactNode, useContext, useSyncExternalStore } from "react";

const FirstNow = createContext(0);
type Beat = "second" | "minute";
const EVERY: Record<Beat, number> = { second: 1000, minute: 10_000 };

interface Ticker {
  now: number;
  timer: ReturnType<typeof setInterval> | null;
  listeners: Set<() => void>;
}
const tickers: Record<Beat, Ticker> = {
  second: { now: 0, timer: null, listeners: new Set() },
  minute: { now: 0, timer: null, listeners: new Set() },
};

function tick(ticker: Ticker) {
  ticker.now = Date.now();
  for (const listener of ticker.listeners) listener();
}

function subscribeTo(beat: Beat) {
  return (listener: () => void) => {
    const ticker = tickers[beat];
    ticker.listeners.add(listener);
    ticker.timer ??= setInterval(() => tick(ticker), EVERY[beat]);
    return () => {
      ticker.listeners.delete(listener);
      if (ticker.listeners.size > 0 || ticker.timer === null) return;
      clearInterval(ticker.timer);
      ticker.timer = null;
      ticker.now = 0;
    };
  };
}

function snapshotOf(beat: Beat) {
  return () => {
    const ticker = tickers[beat];
    if (ticker.now === 0) ticker.now = Date.now();
    return ticker.now;
  };
}

const subscribe = { second: subscribeTo("second"), minute: subscribeTo("minute") };
const snapshot = { second: snapshotOf("second"), minute: snapshotOf("minute") };

/** Milliseconds since 1970, renewed every second or every ten; the server's own time while hydrating. */
export function useNow(beat: Beat = "minute"): number {
  const first = useContext(FirstNow);
  return useSyncExternalStore(subscribe[beat], snapshot[beat], () => first);
}

/** False on the server and while hydrating: what depends on the viewer's time zone waits for it. */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    () => () => undefined,
    () => true,
    () => false,
  );
}

/** The viewer's IANA time zone; UTC on the server and while hydrating. */
export function useZone(): string {
  return useHydrated() ? Intl.DateTimeFormat().resolvedOptions().timeZone : "UTC";
}

/** `now` is the time of the request, so that server and browser render the same words. */
export function ClockProvider({ now, children }: { now: number; children: ReactNode }) {
  return <FirstNow.Provider value={now}>{children}</FirstNow.Provider>;
}
