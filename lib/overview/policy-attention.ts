import { plural } from "../format.ts";
import type { Attention } from "./schema.ts";

export interface PolicyFacts {
  /** Databases that no policy covers. */
  uncovered: { name: string; environment: string; since: Date }[];
  /** Policies that are paused, or whose newest run was missed or failed. */
  policies: {
    name: string;
    pausedAt: Date | null;
    pausedBy: string | null;
    last: { state: string; reason: string | null; dueAt: Date } | null;
  }[];
  /** Destinations that keep what is to be deleted. */
  kept: { destination: string; copies: number; backupId: string; reason: string; since: Date }[];
}

/** What the plans for backups leave to be done by a person. */
export function policyItems(facts: PolicyFacts): Attention[] {
  return [
    ...uncoveredItem(facts.uncovered),
    ...facts.policies.flatMap(policyItem),
    ...facts.kept.map(keptItem),
  ];
}

/** Told once, however many databases it concerns. */
function uncoveredItem(uncovered: PolicyFacts["uncovered"]): Attention[] {
  const [first] = uncovered;
  if (!first) return [];
  const names = uncovered.map(({ name }) => name);
  const one = uncovered.length === 1;
  return [
    {
      id: "uncovered",
      severity: "warning",
      title: one ? `No policy covers ${first.name}` : `No policy covers ${plural(names.length, "database")}`,
      detail: one
        ? "It is backed up when somebody asks for it, and not by itself."
        : `${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}: not backed up by themselves.`,
      since: one ? first.since.toISOString() : null,
      environment: one ? first.environment : null,
      action: { label: "Look at the policies", href: "/policies" },
    },
  ];
}

function policyItem({ name, pausedAt, pausedBy, last }: PolicyFacts["policies"][number]): Attention[] {
  const common = { environment: null, action: { label: "Open the policy", href: `/policies/${name}` } };
  if (pausedAt) {
    const detail = `By ${pausedBy ?? "somebody"}. Its databases are not backed up until it is resumed.`;
    const since = pausedAt.toISOString();
    return [
      {
        ...common,
        id: `paused:${name}`,
        severity: "warning",
        title: `The policy ${name} is paused`,
        detail,
        since,
      },
    ];
  }
  if (last?.state !== "missed" && last?.state !== "failed") return [];
  const missed = last.state === "missed";
  return [
    {
      ...common,
      id: `run:${name}`,
      severity: "warning",
      title: missed ? `A run of the policy ${name} was missed` : `The last run of the policy ${name} failed`,
      detail: last.reason ?? "",
      since: last.dueAt.toISOString(),
    },
  ];
}

function keptItem({ destination, copies, backupId, reason, since }: PolicyFacts["kept"][number]): Attention {
  return {
    id: `kept:${destination}`,
    severity: "warning",
    title: `${destination} keeps ${plural(copies, "copy", "copies")} that ${copies === 1 ? "is" : "are"} to be deleted`,
    detail: `${reason} It is tried again.`,
    since: since.toISOString(),
    environment: null,
    action: { label: copies === 1 ? "Open the backup" : "Open one of them", href: `/backups/${backupId}` },
  };
}
