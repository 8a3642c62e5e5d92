"use server";
import { act } from "@/lib/actions/act";
import { verifyAudit } from "@/lib/audit/verify-audit";

export async function verifyAuditAction(_input: undefined) {
  return act((ctx) => verifyAudit(ctx));
}
