import { expect, test } from "vitest";
import type { BackupDto } from "@/lib/backups/schema";
import { backupFinding } from "./backup-finding";

type Given = Parameters<typeof backupFinding>[0];
const proof = (given: Partial<NonNullable<BackupDto["proof"]>>): BackupDto["proof"] =>
  ({
    level: "restored",
    verdict: "proven",
    byCount: false,
    reason: "every table equal",
    ...given,
  }) as BackupDto["proof"];
const copy = (destination: string, state: BackupDto["copies"][number]["state"]) => ({
  id: destination,
  destination,
  archived: false,
  state,
  path: "p",
  sizeBytes: null,
  checkedAt: null,
  reason: null,
  retryAt: null,
});
const backup = (given: Partial<Given>): Given => ({
  state: "complete",
  reason: null,
  proof: null,
  verification: null,
  copies: [],
  ...given,
});
const said = (given: Partial<Given>) => {
  const parts = backupFinding(backup(given));
  return { text: parts.map((part) => part.text).join(""), tone: parts.find((part) => part.tone)?.tone };
};

test.each<[string, Partial<Given>, string, string | undefined]>([
  ["proven", { proof: proof({}) }, "This backup restores to exactly what was dumped.", undefined],
  [
    "proven, a copy that was not made",
    { state: "partial", proof: proof({}), copies: [copy("local", "stored"), copy("offsite", "failed")] },
    "This backup restores to exactly what was dumped. Its copy at offsite was not made.",
    "warning",
  ],
  [
    "proven, two copies that are not good",
    {
      proof: proof({}),
      copies: [copy("local", "stored"), copy("offsite", "altered"), copy("attic", "missing")],
    },
    "This backup restores to exactly what was dumped. 2 of its 3 copies are not good.",
    "warning",
  ],
  ["stored, not proven", {}, "This backup has not been proven.", "warning"],
  [
    "a difference",
    { proof: proof({ verdict: "failed", reason: "invoices lost 3 rows." }) },
    "This backup does not restore to what was dumped: invoices lost 3 rows.",
    "problem",
  ],
  [
    "unverifiable",
    { proof: proof({ verdict: "unverifiable", reason: "extension postgis is not available here" }) },
    "This backup could not be verified: extension postgis is not available here.",
    "warning",
  ],
  [
    "failed",
    { state: "failed", reason: "the disk is full" },
    "This backup failed: the disk is full.",
    "problem",
  ],
  [
    "readable only",
    { proof: proof({ level: "readable" }) },
    "This backup is present and readable, and has not been restored.",
    undefined,
  ],
])("%s", (_, given, text, tone) => {
  expect(said(given)).toEqual({ text, tone });
});

test("an older proof is not claimed while a new one is under way", () => {
  const verification = { operationId: "x", state: "running" };
  expect(said({ proof: proof({}), verification }).text).toBe("This backup is being proven.");
});
