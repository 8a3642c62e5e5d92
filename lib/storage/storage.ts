import type { Readable, Writable } from "node:stream";

export interface ObjectInfo {
  /** Relative to the destination's root, "/"-separated. */
  path: string;
  bytes: number;
  modifiedAt: Date;
}

export interface StorageCapabilities {
  /** The store keeps objects on this host. */
  sameHost: boolean;
  /** Free space can be told. */
  freeSpace: boolean;
}

export interface StorageTest {
  /** Free space there, where it can be told. */
  freeBytes: number | null;
  /** What these credentials can't do, while they can write: without "read" nothing can be proven or restored. */
  lacks: ("read" | "list" | "delete")[];
}

/** An object being written: invisible until commit, gone after abort. */
export interface ObjectWriter {
  stream: Writable;
  /** Makes the finished object visible, durably; throws if the stream did not end well. */
  commit(): Promise<ObjectInfo>;
  /** Removes all that was written; safe at any time and twice. */
  abort(): Promise<void>;
}

/**
 * One destination. Every adapter passes storage.contract.ts. Paths are relative, without "..";
 * anything else throws `invalid`. Objects are immutable: writing an existing path is a `conflict`.
 */
export interface Storage {
  readonly kind: string;
  readonly capabilities: StorageCapabilities;
  /**
   * Makes the marker file if missing; idempotent; refuses another install's marker id. `createRoot` makes the bucket,
   * too; folders are made in any case.
   */
  init(how?: { createRoot?: boolean }): Promise<void>;
  /** Writes, reads back, lists and deletes a small object. Throws when it can't be written. */
  test(): Promise<StorageTest>;
  write(path: string): Promise<ObjectWriter>;
  /** Throws `not_found` when missing. `start` and `end` are inclusive byte offsets. */
  read(path: string, range?: { start: number; end: number }): Promise<Readable>;
  stat(path: string): Promise<ObjectInfo | null>;
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Idempotent. Removes folders that became empty. */
  delete(path: string): Promise<void>;
  /** Removes unfinished writes below the prefix; returns how many. */
  sweep(prefix: string): Promise<number>;
}
