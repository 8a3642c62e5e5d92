import { describe, expect, it } from "vitest";
import type { Sample } from "./movement.ts";
import { moves } from "./movement.ts";

const sample = (more: Partial<Sample>): Sample => ({
  pid: 7,
  statement: "2027-01-01 00:00:00+00",
  query: "CREATE INDEX ON t (x)",
  seconds: 60,
  waitType: null,
  waitEvent: null,
  blockers: null,
  counters: "scanning 1",
  indexed: "t",
  blocksDone: 1,
  blocksTotal: 9,
  rowsDone: 0,
  rowsTotal: 0,
  blockBytes: 8192,
  ...more,
});
const waiting = (waitType: string, waitEvent: string) => sample({ waitType, waitEvent });

describe("a backend", () => {
  it.each<[string, Sample | undefined, Sample]>([
    ["is new", undefined, waiting("Lock", "relation")],
    [
      "has begun another statement",
      waiting("Lock", "relation"),
      { ...waiting("Lock", "relation"), statement: "x" },
    ],
    [
      "has counted on",
      waiting("Lock", "relation"),
      { ...waiting("Lock", "relation"), counters: "scanning 2" },
    ],
    ["computes", sample({}), sample({})],
    ["reads after it computed", sample({}), waiting("IO", "DataFileRead")],
    ["writes after it read", waiting("IO", "BufFileRead"), waiting("IO", "BufFileWrite")],
  ])("that %s moves", (_what, before, now) => {
    expect(moves(before, now)).toBe(true);
  });

  it.each<[string, Sample, Sample]>([
    ["waits for a lock", sample({}), waiting("Lock", "relation")],
    ["waits for the same read all the time", waiting("IO", "DataFileRead"), waiting("IO", "DataFileRead")],
    ["sleeps", sample({}), waiting("Timeout", "PgSleep")],
    ["waits for its client", sample({}), waiting("Client", "ClientRead")],
    ["waits for others that work for it", sample({}), waiting("IPC", "ExecuteGather")],
  ])("that %s does not", (_what, before, now) => {
    expect(moves(before, now)).toBe(false);
  });
});
