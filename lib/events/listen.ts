import { Client } from "pg";
import { RUNTIME_ROLE } from "../db/client.ts";
import { messageOf } from "../errors.ts";
import type { Logger } from "../logger.ts";

export interface ListenOptions {
  connectionString: string;
  applicationName: string;
  channels: readonly string[];
  log: Logger;
  onNotify(channel: string, payload: string): void;
  /** After each connection, the first included: what came while there was none must be looked up. */
  onConnect?(): void;
}

export interface Listening {
  stop(): Promise<void>;
}

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;
/** A connection that died silently shows within this time. */
const PROBE_MS = 15_000;
const PROBE_TIMEOUT_MS = 5_000;

/** Holds one connection that listens, and connects again for as long as it is wanted. Returns at once. */
export function listen(options: ListenOptions): Listening {
  const { channels, log } = options;
  let stopped = false;
  let client: Client | null = null;
  let wait = FIRST_RETRY_MS;
  let retry: NodeJS.Timeout | undefined;
  let probe: NodeJS.Timeout | undefined;

  const lost = (gone: Client, why: unknown) => {
    if (client !== gone) return;
    client = null;
    clearInterval(probe);
    gone.removeAllListeners();
    gone.on("error", () => undefined);
    gone.end().catch(() => undefined);
    if (stopped) return;
    log.warn({ err: messageOf(why), channels }, "listening was cut off; connecting again");
    retry = setTimeout(() => void connect(), wait);
    wait = Math.min(LONGEST_RETRY_MS, wait * 2);
  };

  const connect = async () => {
    const next = new Client({
      connectionString: options.connectionString,
      application_name: options.applicationName,
      options: `-c role=${RUNTIME_ROLE}`,
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      query_timeout: PROBE_TIMEOUT_MS,
    });
    client = next;
    next.on("error", (error) => lost(next, error));
    next.on("end", () => lost(next, new Error("the connection ended")));
    next.on("notification", ({ channel, payload }) => options.onNotify(channel, payload ?? ""));
    try {
      await next.connect();
      for (const channel of channels) await next.query(`LISTEN ${next.escapeIdentifier(channel)}`);
    } catch (error) {
      lost(next, error);
      return;
    }
    if (client !== next) return;
    wait = FIRST_RETRY_MS;
    probe = setInterval(() => next.query("SELECT 1").catch((error: unknown) => lost(next, error)), PROBE_MS);
    options.onConnect?.();
  };

  void connect();
  return {
    async stop() {
      stopped = true;
      clearTimeout(retry);
      clearInterval(probe);
      const last = client;
      client = null;
      last?.removeAllListeners();
      last?.on("error", () => undefined);
      await last?.end().catch(() => undefined);
    },
  };
}
