import { Writable } from "node:stream";
import { HoldfastError, messageOf } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import { ObjectLane, tookNothing } from "./object-lane.ts";

export interface FanOutTarget {
  id: string;
  name: string;
  storage: Storage;
}

export interface FanOutOptions {
  /** Bytes that one destination may lag behind the pipe before it holds it up. */
  windowBytes?: number;
  /** A destination that holds up the pipe for so long is left behind. */
  detachAfterMs?: number;
  /** What to do when no destination is left. */
  remedy?: string;
  log(line: string, level?: "info" | "warn" | "error"): void;
}

export interface FanOutOutcome {
  destinationId: string;
  state: "stored" | "failed";
  /** Of all objects there. */
  bytes: number;
  reason: string | null;
}

/** Longest wait for the removal of what a failed destination holds; the rest of it is removed later. */
const CLEAN_UP_MS = 10_000;

/** One destination of a run: open lanes by file, and what was published, for removal on a fault. */
interface Destination extends FanOutTarget {
  lanes: Map<string, ObjectLane>;
  published: string[];
  bytes: number;
  failure: string | null;
}

/**
 * Writes the same objects to every destination at once. Each has its own window of waiting bytes; one that
 * fails or blocks is left behind, with its parts removed, and the others go on. Nothing becomes visible
 * before publish(), and abort() removes all of it.
 */
export class FanOut {
  readonly #path: string;
  readonly #destinations: Destination[];
  readonly #windowBytes: number;
  readonly #detachAfterMs: number;
  readonly #remedy: string;
  readonly #log: FanOutOptions["log"];
  readonly #cleanUps: Promise<void>[] = [];

  /** `path` is a folder that this attempt alone writes to, relative to each destination's root. */
  constructor(targets: FanOutTarget[], path: string, options: FanOutOptions) {
    this.#path = path;
    this.#windowBytes = options.windowBytes ?? 8 * 1024 * 1024;
    this.#detachAfterMs = options.detachAfterMs ?? 60_000;
    this.#remedy = options.remedy ?? "Look at the destinations under Settings, then run the backup again.";
    this.#log = options.log;
    this.#destinations = targets.map((target) => ({
      ...target,
      lanes: new Map(),
      published: [],
      bytes: 0,
      failure: null,
    }));
  }

  /** A sink for one object. Its end ends nothing at the destinations: publish() does. */
  async open(file: string): Promise<Writable> {
    await this.#each(async (destination) => {
      const writer = await this.#inTime(destination, destination.storage.write(`${this.#path}/${file}`));
      const lane = new ObjectLane(writer, this.#windowBytes);
      destination.lanes.set(file, lane);
    });
    const write = (chunk: Buffer) => this.#write(file, chunk);
    return new Writable({
      highWaterMark: 512 * 1024,
      write(chunk: Buffer, _encoding, done) {
        write(chunk).then(() => done(), done);
      },
    });
  }

  /** Ends the object and makes it visible at every destination that is still with us. */
  async publish(file: string): Promise<void> {
    await this.#each(async (destination) => {
      const lane = destination.lanes.get(file);
      if (!lane) throw new Error(`${file} was not opened`);
      const info = await this.#inTime(destination, lane.commit());
      destination.lanes.delete(file);
      destination.published.push(info.path);
      destination.bytes += info.bytes;
    });
  }

  /** Writes and publishes a small object. */
  async put(file: string, content: string): Promise<void> {
    const sink = await this.open(file);
    await new Promise<void>((resolve, reject) => {
      sink.once("error", reject);
      sink.end(Buffer.from(content), () => resolve());
    });
    await this.publish(file);
  }

  /** Removes everything everywhere; the object that was published last goes first. */
  async abort(): Promise<void> {
    for (const destination of this.#destinations) this.#cleanUps.push(this.#remove(destination));
    await this.settled();
  }

  /** Resolves when the removals at failed destinations have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#cleanUps);
  }

  outcomes(): FanOutOutcome[] {
    return this.#destinations.map(({ id, bytes, failure }) => ({
      destinationId: id,
      state: failure === null ? "stored" : "failed",
      bytes: failure === null ? bytes : 0,
      reason: failure,
    }));
  }

  async #write(file: string, chunk: Buffer): Promise<void> {
    for (const destination of this.#live()) {
      const lane = destination.lanes.get(file);
      if (lane) lane.push(chunk);
    }
    const behind = this.#live().filter((destination) => destination.lanes.get(file)?.full ?? true);
    if (behind.length > 0) {
      await this.#each(async (destination) => {
        const lane = destination.lanes.get(file);
        if (lane) await lane.room(this.#detachAfterMs);
      });
    }
  }

  #live(): Destination[] {
    return this.#destinations.filter((destination) => destination.failure === null);
  }

  /** Runs the work for every live destination; throws only when none is left. */
  async #each(work: (destination: Destination) => Promise<void>): Promise<void> {
    await Promise.all(
      this.#live().map((destination) =>
        work(destination).catch((error: unknown) => this.#fail(destination, error)),
      ),
    );
    if (this.#live().length > 0) return;
    const reasons = this.#destinations.map(({ name, failure }) => `${name}: ${failure}`);
    throw new HoldfastError("unavailable", `No destination could take the backup. ${reasons.join(" ")}`, {
      remedy: this.#remedy,
    });
  }

  #fail(destination: Destination, error: unknown): void {
    if (destination.failure !== null) return;
    destination.failure = sentence(messageOf(error));
    this.#log(`${destination.name}: ${destination.failure} It is left out.`, "error");
    this.#cleanUps.push(this.#remove(destination));
  }

  async #inTime<T>(destination: Destination, work: Promise<T>): Promise<T> {
    const timer = new AbortController();
    const late = new Promise<never>((_, reject) => {
      const timeout = setTimeout(() => reject(tookNothing(this.#detachAfterMs)), this.#detachAfterMs);
      timer.signal.addEventListener("abort", () => clearTimeout(timeout));
    });
    // What comes after the timeout is aborted by the sweep of #remove.
    work.catch(() => {});
    late.catch(() => {});
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      this.#log(`${destination.name}: ${messageOf(error)}`, "warn");
      throw error;
    } finally {
      timer.abort();
    }
  }

  async #remove(destination: Destination): Promise<void> {
    const removal = async (): Promise<void> => {
      for (const lane of destination.lanes.values()) await lane.abort();
      destination.lanes.clear();
      for (let path = destination.published.pop(); path !== undefined; path = destination.published.pop()) {
        await destination.storage.delete(path);
      }
      await destination.storage.sweep(this.#path);
    };
    let timeout: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timeout = setTimeout(resolve, CLEAN_UP_MS);
    });
    const tidy = removal().catch((error: unknown) => {
      this.#log(`${destination.name}: could not be cleaned up yet: ${messageOf(error)}`, "warn");
    });
    await Promise.race([tidy, late]);
    clearTimeout(timeout);
  }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
