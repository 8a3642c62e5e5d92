import type { Tx } from "../db/client.ts";
import type { OperationState } from "../db/generated/client.ts";
import { emitEvent } from "../events/emit.ts";
import { notifyOperation } from "./channels.ts";

export interface Transition {
  operationId: string;
  attempt: number;
  state: OperationState;
  reason: string;
}

/** Records a change of state that the caller has just made, and tells browsers, workers and waiting parents. */
export async function recordTransition(tx: Tx, transition: Transition): Promise<void> {
  await tx.operationTransition.create({ data: transition });
  await notifyOperation(tx, transition.operationId);
  await emitEvent(tx, "operations", transition.operationId);
}
