"use server";
import { act } from "@/lib/actions/act";
import { verifyAudit } from "@/lib/audit/verify-audit";
import { getRuntime } from "@/lib/runtime";

export async function verifyAuditAction(_input: undefined) {
  return act(async (ctx) => verifyAudit(ctx, { auditKey: (await getRuntime()).keyring.auditKey }));
}
