"use server";
import { act } from "@/lib/actions/act";
import { cancelOperation } from "@/lib/operations/cancel-operation";

export async function cancelOperationAction(operation: string) {
  return act((ctx) => cancelOperation(ctx, operation));
}
