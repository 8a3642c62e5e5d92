/**
 * The values of some states and roles. The schemas have them, too, but bring their whole validator into the
 * browser; `satisfies` keeps these in step with them.
 */
import type { BackupItem } from "@/lib/backups/schema";
import type { Role } from "@/lib/context";
import type { OperationItem } from "@/lib/operations/schema";
import type { ProofDto } from "@/lib/proof/schema";

export const operationStates = [
  "queued",
  "running",
  "cancelling",
  "succeeded",
  "failed",
  "cancelled",
  "interrupted",
] as const satisfies OperationItem["state"][];

export const finalStates: readonly string[] = [
  "succeeded",
  "failed",
  "cancelled",
  "interrupted",
] satisfies OperationItem["state"][];

export const backupStates = [
  "running",
  "complete",
  "partial",
  "failed",
  "cancelled",
  "interrupted",
] as const satisfies BackupItem["state"][];

export const proofLevels = [
  "present",
  "readable",
  "restored",
  "asserted",
] as const satisfies ProofDto["level"][];

export const roles = ["viewer", "operator", "admin"] as const satisfies Role[];
