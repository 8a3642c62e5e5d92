import type { Db } from "../db/client.ts";
import { messageOf } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { LOG_CHANNEL, OPERATIONS_CHANNEL } from "../operations/channels.ts";
import { OperationNews } from "../operations/wait-for-end.ts";
import { EVENTS_CHANNEL } from "./emit.ts";
import type { Listening } from "./listen.ts";
import { listen } from "./listen.ts";
import { LiveLog } from "./live-log.ts";
import { Subscriber } from "./subscriber.ts";

export interface HubOptions {
  db: Db;
  log: Logger;
  /** For the connection that listens; without it new events are looked for every `pollMs`. */
  connectionString: string | null;
  pollMs?: number;
}

/** Without a NOTIFY, and for ids that commit late. */
const POLL_MS = 5_000;
const PRUNE_MS = 10 * 60_000;
const KEEP_HOURS = 1;
/** A burst of commits is read once. */
const GATHER_MS = 25;

/** Follows live_event for this process with one connection, and hands every change to all subscribers. */
export class EventHub {
  /** News of single operations: their state or their log. */
  readonly operationNews = new OperationNews();
  readonly #options: HubOptions;
  readonly #live: LiveLog;
  readonly #subscribers = new Set<Subscriber>();
  readonly #timers: NodeJS.Timeout[] = [];
  #listening: Listening | null = null;
  #reading: Promise<void> = Promise.resolve();
  #gathering: NodeJS.Timeout | null = null;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#live = new LiveLog(options.db);
    const { connectionString, log, pollMs = POLL_MS } = options;
    if (connectionString) {
      this.#listening = listen({
        connectionString,
        applicationName: "holdfast events",
        channels: [EVENTS_CHANNEL, LOG_CHANNEL, OPERATIONS_CHANNEL],
        log,
        onNotify: (channel, payload) => {
          if (channel === EVENTS_CHANNEL) this.#readSoon();
          else this.operationNews.tell(payload);
        },
        onConnect: () => this.#readSoon(),
      });
    }
    this.#timers = [
      setInterval(() => this.#readSoon(), pollMs).unref(),
      setInterval(() => void this.#prune(), PRUNE_MS).unref(),
    ];
  }

  /**
   * A new subscriber. With the id that a client saw last it first gets what came since; when that cannot be
   * told any more, everything counts as changed.
   */
  async subscribe(lastEventId: string | null): Promise<Subscriber> {
    await this.#read();
    const subscriber = new Subscriber();
    this.#subscribers.add(subscriber);
    if (lastEventId !== null) {
      const id = /^\d{1,18}$/.test(lastEventId) ? BigInt(lastEventId) : null;
      const missed = id === null ? null : await this.#live.since(id);
      if (missed === null) subscriber.everything();
      else for (const message of missed) subscriber.push(message);
    }
    subscriber.seen(this.#live.watermark);
    return subscriber;
  }

  unsubscribe(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#gathering) clearTimeout(this.#gathering);
    await this.#listening?.stop();
    await this.#reading;
  }

  #readSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      void this.#read();
    }, GATHER_MS);
  }

  #read(): Promise<void> {
    this.#reading = this.#reading.then(async () => {
      try {
        const messages = await this.#live.read();
        for (const subscriber of this.#subscribers) {
          for (const message of messages) subscriber.push(message);
          subscriber.seen(this.#live.watermark);
        }
      } catch (error) {
        // The next notification or poll reads what this one could not.
        this.#options.log.warn({ err: messageOf(error) }, "live events could not be read");
      }
    });
    return this.#reading;
  }

  async #prune(): Promise<void> {
    const { db, log } = this.#options;
    await db.$executeRaw`DELETE FROM live_event WHERE at < now() - ${KEEP_HOURS} * interval '1 hour'`.catch(
      (error: unknown) => log.warn({ err: messageOf(error) }, "old live events could not be removed"),
    );
  }
}
