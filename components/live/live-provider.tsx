"use client";
/**
 * Keeps what is on screen current: each live event makes the queries stale whose key starts with its topic, at most
 * once a second. `LiveMark` shows whether that works.
 */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { joinLive, type LiveState } from "./live-connection";
import classes from "./live-mark.module.css";

const State = createContext<LiveState>("connecting");
const FEEDS_OVERVIEW = new Set(["databases", "backups", "policies", "operations", "workers", "settings"]);

/** Collects topics and makes their queries stale: the first at once, the following once a second. */
function makeStaler(client: QueryClient) {
  const topics = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | null = null;

  function flush() {
    const stale = new Set(topics);
    topics.clear();
    void client.invalidateQueries({
      predicate: (query) => stale.has("*") || stale.has(String(query.queryKey[0])),
    });
  }
  function arm() {
    timer = setTimeout(() => {
      timer = null;
      if (topics.size === 0) return;
      flush();
      arm();
    }, 1000);
  }
  return {
    add(topic: string) {
      topics.add(topic);
      if (FEEDS_OVERVIEW.has(topic)) topics.add("overview");
      if (timer) return;
      flush();
      arm();
    },
    stop() {
      if (timer) clearTimeout(timer);
    },
  };
}

export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>("connecting");

  useEffect(() => {
    const staler = makeStaler(client);
    const leave = joinLive({
      onEvent: (event) => staler.add(event.topic),
      onState: setState,
      onRefresh: () => staler.add("*"),
      onSignedOut: () => window.location.assign("/login"),
    });
    return () => {
      leave();
      staler.stop();
    };
  }, [client]);

  return <State.Provider value={state}>{children}</State.Provider>;
}

const WORDS: Record<LiveState, string> = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
};

export function LiveMark() {
  const state = useContext(State);
  return (
    <span className={classes.mark} data-state={state} role="status">
      {WORDS[state]}
    </span>
  );
}
