/** Values of the policy's form, and the inputs of the verbs that are made from them. */
import type { z } from "zod";
import type {
  CreatePolicyInput,
  PolicyDto,
  simulatePolicyInput,
  UpdatePolicyInput,
} from "@/lib/policies/schema";

export type SimulateInput = z.input<typeof simulatePolicyInput>;
type Rule = keyof PolicyDto["retention"];

export const RULES: readonly Rule[] = ["last", "hourly", "daily", "weekly", "monthly", "yearly", "proven"];

export interface PolicyValues extends Record<string, unknown> {
  name: string;
  databases: string[];
  /** Separated by commas. */
  patterns: string;
  destinations: string[];
  schedule: {
    kind: PolicyDto["schedule"]["kind"];
    minutes: string;
    hours: string;
    at: string;
    /** "1" is Monday. */
    days: string[];
    /** "1" to "28", or "last". */
    day: string;
    expression: string;
  };
  zone: string;
  jitterMinutes: string;
  missed: PolicyDto["missed"];
  retention: Record<Rule, string>;
  verification: { kind: PolicyDto["verification"]["kind"]; n: string };
}

export function emptyValues(zone: string, databases: string[]): PolicyValues {
  return {
    name: databases.length === 0 ? "" : "nightly",
    databases,
    patterns: "",
    destinations: [],
    schedule: {
      kind: "daily",
      minutes: "15",
      hours: "6",
      at: "02:15",
      days: ["1"],
      day: "1",
      expression: "15 2 * * *",
    },
    zone,
    jitterMinutes: "0",
    missed: "catch_up",
    retention: { last: "3", hourly: "0", daily: "7", weekly: "4", monthly: "12", yearly: "0", proven: "3" },
    verification: { kind: "each", n: "5" },
  };
}

export function valuesOf(policy: PolicyDto): PolicyValues {
  const { schedule, verification } = policy;
  const empty = emptyValues(policy.zone, policy.databases);
  return {
    ...empty,
    name: policy.name,
    patterns: policy.patterns.join(", "),
    destinations: policy.destinations,
    schedule: {
      ...empty.schedule,
      kind: schedule.kind,
      ...(schedule.kind === "minutes" ? { minutes: String(schedule.every) } : {}),
      ...(schedule.kind === "hours" ? { hours: String(schedule.every) } : {}),
      ...("at" in schedule ? { at: schedule.at } : {}),
      ...(schedule.kind === "weekly" ? { days: schedule.days.map(String) } : {}),
      ...(schedule.kind === "monthly" ? { day: String(schedule.day) } : {}),
      ...(schedule.kind === "cron" ? { expression: schedule.expression } : {}),
    },
    jitterMinutes: String(Math.round(policy.jitterSeconds / 60)),
    missed: policy.missed,
    retention: Object.fromEntries(RULES.map((rule) => [rule, String(policy.retention[rule])])) as Record<
      Rule,
      string
    >,
    verification: {
      kind: verification.kind,
      n: verification.kind === "nth" ? String(verification.n) : empty.verification.n,
    },
  };
}

/** What is not a number is left to the server to refuse, beside its field. */
function scheduleOf({ schedule }: PolicyValues): CreatePolicyInput["schedule"] {
  const { kind, minutes, hours, at, days, day, expression } = schedule;
  const made =
    kind === "minutes"
      ? { kind, every: Number(minutes) }
      : kind === "hours"
        ? { kind, every: Number(hours) }
        : kind === "daily"
          ? { kind, at }
          : kind === "weekly"
            ? { kind, at, days: days.map(Number) }
            : kind === "monthly"
              ? { kind, at, day: day === "last" ? day : Number(day) }
              : { kind, expression };
  return made as CreatePolicyInput["schedule"];
}

/** An empty field means none of it, but for the number of proven ones, of which there is always one. */
function retentionOf({ retention }: PolicyValues): PolicyDto["retention"] {
  return Object.fromEntries(
    RULES.map((rule) => [rule, retention[rule].trim() === "" ? 0 : Number(retention[rule])]),
  ) as PolicyDto["retention"];
}

export function createInputOf(values: PolicyValues): CreatePolicyInput {
  const { kind, n } = values.verification;
  return {
    name: values.name.trim(),
    databases: values.databases,
    patterns: values.patterns.split(/[,\s]+/).filter(Boolean),
    destinations: values.destinations,
    schedule: scheduleOf(values),
    zone: values.zone.trim(),
    jitterSeconds: Number(values.jitterMinutes) * 60,
    missed: values.missed,
    retention: retentionOf(values),
    verification: kind === "nth" ? { kind, n: Number(n) } : { kind },
  };
}

/** Blackouts, which the form does not show, stay as they are. `version` is the one that was edited. */
export function updateInputOf(values: PolicyValues, version: number): UpdatePolicyInput {
  return { ...createInputOf(values), version };
}

/** What is asked for the preview; `policy` is the one that is edited. */
export function simulateInputOf(values: PolicyValues, policy: PolicyDto | null): SimulateInput {
  const { databases, patterns, schedule, zone, retention } = createInputOf(values);
  return {
    databases: databases ?? [],
    patterns: patterns ?? [],
    schedule,
    zone: zone ?? "UTC",
    retention: retention ?? {},
    ...(policy ? { policy: policy.id, blackouts: policy.blackouts } : {}),
  };
}
