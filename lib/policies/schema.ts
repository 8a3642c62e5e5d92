import { z } from "zod";
import { backupItemSchema } from "../backups/schema.ts";
import { pageQuery } from "../paging.ts";

/** "02:15", 24 hours. */
export const timeOfDaySchema = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "A time of day looks like 02:15.");

/** 1 is Monday, 7 is Sunday (ISO 8601). */
const weekdaysSchema = z
  .array(z.number().int().min(1).max(7))
  .min(1, "Choose at least one day.")
  .transform((days) => [...new Set(days)].sort((a, b) => a - b));

/** Minutes and hours that divide an hour and a day: the runs are at the same times on every day. */
export const INTERVAL_MINUTES = [5, 10, 15, 20, 30] as const;
export const INTERVAL_HOURS = [1, 2, 3, 4, 6, 8, 12] as const;
/** Later days are not in every month; the last one has a name of its own. */
const LAST_COMMON_DAY = 28;

export const scheduleSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("minutes"), every: z.literal([...INTERVAL_MINUTES]) }),
  z.object({ kind: z.literal("hours"), every: z.literal([...INTERVAL_HOURS]) }),
  z.object({ kind: z.literal("daily"), at: timeOfDaySchema }),
  z.object({ kind: z.literal("weekly"), days: weekdaysSchema, at: timeOfDaySchema }),
  z.object({
    kind: z.literal("monthly"),
    day: z.union([z.number().int().min(1).max(LAST_COMMON_DAY), z.literal("last")]),
    at: timeOfDaySchema,
  }),
  z.object({ kind: z.literal("cron"), expression: z.string().trim().min(1).max(200) }),
]);
export type Schedule = z.infer<typeof scheduleSchema>;

/** A time of the week in which no run starts, in the policy's zone. Past midnight when `to` is not after `from`. */
export const blackoutSchema = z
  .object({ days: weekdaysSchema, from: timeOfDaySchema, to: timeOfDaySchema })
  .refine(({ from, to }) => from !== to, { path: ["to"], message: "It ends when it begins." });
export type Blackout = z.infer<typeof blackoutSchema>;

/** An IANA time zone that this runtime knows: "Europe/Berlin". */
export const zoneSchema = z
  .string()
  .refine(isZone, "This is not a time zone. Zones look like Europe/Berlin or UTC.");

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    // "+02:00" is understood, too, but knows no summer time.
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
}

const count = z.number().int().min(0).max(10_000);

/**
 * What is kept of a database's backups. Each rule keeps the newest backup of each of so many periods (days, weeks,
 * …) that have one; a backup that any rule keeps stays. With every rule 0 nothing is ever deleted.
 */
export const retentionSchema = z.object({
  last: count.default(0),
  hourly: count.default(0),
  daily: count.default(0),
  weekly: count.default(0),
  monthly: count.default(0),
  yearly: count.default(0),
  /** The newest proven backups that stay, whatever the rules say. */
  proven: z.number().int().min(1).max(1000).default(3),
});
export type Retention = z.infer<typeof retentionSchema>;

/** Which of the backups are proven: each, every nth of a database, or the first of its day or week. */
export const verificationSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("each") }),
  z.object({ kind: z.literal("nth"), n: z.number().int().min(2).max(1000) }),
  z.object({ kind: z.literal("daily") }),
  z.object({ kind: z.literal("weekly") }),
]);
export type Verification = z.infer<typeof verificationSchema>;

export const policyRunStates = ["due", "running", "succeeded", "failed", "missed", "skipped"] as const;
const itemStates = ["waiting", "started", "succeeded", "failed", "skipped"] as const;

const policyName = z
  .string()
  .regex(/^[a-z0-9-]{1,63}$/, "Use 1 to 63 lower-case letters, digits and hyphens.");
const pattern = z
  .string()
  .regex(/^[a-z0-9*?-]{1,63}$/, "A pattern is a database's name in which * and ? stand for other letters.");

const fields = {
  /** Names or ids. */
  databases: z.array(z.string().min(1).max(100)).max(500),
  /** "shop-*": databases that are registered later are covered, too. */
  patterns: z.array(pattern).max(50),
  /** Names or ids; each backup gets a copy at each. */
  destinations: z.array(z.string().min(1).max(100)).min(1, "Choose at least one destination.").max(10),
  schedule: scheduleSchema,
  zone: zoneSchema,
  /** Times in which no run starts. */
  blackouts: z.array(blackoutSchema).max(20),
  /** Longest time by which a database's start is moved, so that not all start at once. */
  jitterSeconds: z.number().int().min(0).max(21_600),
  /** What becomes of a time at which nothing was up: the newest one is made up for, or none. */
  missed: z.enum(["catch_up", "skip"]),
  retention: retentionSchema,
  verification: verificationSchema,
};

export const createPolicyInput = z.object({
  name: policyName,
  databases: fields.databases.default([]),
  patterns: fields.patterns.default([]),
  destinations: fields.destinations,
  schedule: fields.schedule,
  zone: fields.zone.default("UTC"),
  blackouts: fields.blackouts.default([]),
  jitterSeconds: fields.jitterSeconds.default(0),
  missed: fields.missed.default("catch_up"),
  retention: fields.retention.prefault({}),
  verification: fields.verification.default({ kind: "each" }),
});
export type CreatePolicyInput = z.input<typeof createPolicyInput>;

export const updatePolicyInput = z.object({
  /** The version that was edited; another one is a conflict. */
  version: z.number().int(),
  name: policyName.optional(),
  databases: fields.databases.optional(),
  patterns: fields.patterns.optional(),
  destinations: fields.destinations.optional(),
  schedule: fields.schedule.optional(),
  zone: fields.zone.optional(),
  blackouts: fields.blackouts.optional(),
  jitterSeconds: fields.jitterSeconds.optional(),
  missed: fields.missed.optional(),
  retention: fields.retention.optional(),
  verification: fields.verification.optional(),
});
export type UpdatePolicyInput = z.input<typeof updatePolicyInput>;

/** A policy that is being edited: what it would do. Without a retention nothing is looked at but the times. */
export const simulatePolicyInput = z.object({
  /** Name or id of the policy that is edited; none for a new one. */
  policy: z.string().max(100).optional(),
  databases: fields.databases.default([]),
  patterns: fields.patterns.default([]),
  schedule: fields.schedule,
  zone: fields.zone.default("UTC"),
  blackouts: fields.blackouts.default([]),
  retention: fields.retention.prefault({}),
});

/** A run as lists show it: `databases` counts them, `done` those that are backed up as the policy asks. */
export const policyRunItemSchema = z.object({
  id: z.string(),
  policy: z.string(),
  dueAt: z.string(),
  state: z.enum(policyRunStates),
  reason: z.string().nullable(),
  trigger: z.string(),
  actor: z.string(),
  databases: z.number(),
  done: z.number(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
});
export type PolicyRunItem = z.infer<typeof policyRunItemSchema>;

/** One run, whole. */
export const policyRunSchema = policyRunItemSchema.extend({
  items: z.array(
    z.object({
      database: z.string(),
      state: z.enum(itemStates),
      reason: z.string().nullable(),
      startAt: z.string(),
      verify: z.boolean(),
      backup: backupItemSchema.nullable(),
    }),
  ),
});
export type PolicyRunDto = z.infer<typeof policyRunSchema>;

export const policySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** Names that it covers now: chosen ones, and those that its patterns find. */
  covers: z.array(z.string()),
  databases: z.array(z.string()),
  patterns: z.array(z.string()),
  destinations: z.array(z.string()),
  schedule: scheduleSchema,
  zone: z.string(),
  blackouts: z.array(blackoutSchema),
  jitterSeconds: z.number(),
  missed: z.enum(["catch_up", "skip"]),
  retention: retentionSchema,
  verification: verificationSchema,
  pausedAt: z.string().nullable(),
  pausedBy: z.string().nullable(),
  archivedAt: z.string().nullable(),
  /** The next three due times; empty while paused. */
  nextRuns: z.array(z.string()),
  /** The newest run that is not still to come. */
  lastRun: policyRunItemSchema.nullable(),
  version: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type PolicyDto = z.infer<typeof policySchema>;

export const listPoliciesQuery = z.object({
  ...pageQuery,
  archived: z.enum(["no", "yes"]).default("no"),
});
export const listPolicyRunsQuery = z.object({
  ...pageQuery,
  state: z.enum(policyRunStates).optional(),
});

const judgedSchema = z.object({
  id: z.string(),
  createdAt: z.string(),
  sizeBytes: z.number().nullable(),
  proven: z.boolean(),
  pinned: z.boolean(),
});
/** What a policy would do: its next runs, and what its retention deletes and keeps of the backups there are. */
export const simulationSchema = z.object({
  nextRuns: z.array(z.string()),
  zone: z.string(),
  /** Sums over all databases. */
  deletes: z.number(),
  keeps: z.number(),
  freesBytes: z.number(),
  databases: z.array(
    z.object({
      database: z.string(),
      /** Oldest first. */
      remove: z.array(judgedSchema),
      /** Newest first, each with all the reasons why it stays. */
      keep: z.array(judgedSchema.extend({ reasons: z.array(z.string()) })),
    }),
  ),
});
export type Simulation = z.infer<typeof simulationSchema>;

/** A database that no policy covers. */
export const uncoveredSchema = z.object({ id: z.string(), name: z.string(), environment: z.string() });
export type Uncovered = z.infer<typeof uncoveredSchema>;
