import type { Logger } from "pino";
import type { Db } from "./db/client.ts";

export type Role = "viewer" | "operator" | "admin";

/** Empty lists mean no limit. */
export interface Scope {
  environments: string[];
  applications: string[];
}

/** Who asks. Every audit event has one. */
export type Actor =
  | { kind: "user"; id: string; name: string; role: Role; scope: Scope; sessionId: string }
  | { kind: "token"; id: string; name: string; role: Role; scope: Scope }
  | { kind: "schedule"; id: string; name: string }
  | { kind: "system"; name: string };

export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** What every verb gets: who asks, from where, the database, the time and a logger. */
export interface Ctx {
  actor: Actor;
  /** Client address, where there is one. */
  address?: string | undefined;
  /** Where people open Holdfast (HOLDFAST_URL), for links that are handed over. */
  publicUrl?: URL | undefined;
  db: Db;
  clock: Clock;
  log: Logger;
}

/** The same context acting as the system itself, for work that no person asked for. */
export function asSystem(ctx: Omit<Ctx, "actor">, name: string): Ctx {
  return { ...ctx, actor: { kind: "system", name } };
}
