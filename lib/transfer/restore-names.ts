/** Name of the database that an operation restores into before it gets its own, or takes its target's place. */
export function temporaryName(operationId: string): string {
  return `holdfast_restore_${operationId.replaceAll("-", "")}`;
}
