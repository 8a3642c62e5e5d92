import type { Db } from "../db/client.ts";
import type { Logger } from "../logger.ts";
import { EventHub } from "./hub.ts";

const holder = globalThis as typeof globalThis & { holdfastHubs?: WeakMap<Db, EventHub> };

/**
 * The hub of this process for a database, made at first use. Kept on globalThis, because bundles load this
 * module more than once.
 */
export function processHub(db: Db, log: Logger): EventHub {
  holder.holdfastHubs ??= new WeakMap();
  const hubs = holder.holdfastHubs;
  const hub = hubs.get(db) ?? new EventHub({ db, log, connectionString: process.env.DATABASE_URL || null });
  hubs.set(db, hub);
  return hub;
}
