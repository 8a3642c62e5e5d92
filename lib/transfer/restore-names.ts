/** Step whose success says that the target database was made by the operation, and may be dropped with it. */
export const CREATE_STEP = "Create database";

/** Name of the database that an operation restores into before it takes its target's place. */
export function temporaryName(operationId: string): string {
  return `holdfast_restore_${operationId.replaceAll("-", "")}`;
}
