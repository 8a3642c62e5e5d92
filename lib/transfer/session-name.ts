/**
 * The application name that sessions of one attempt show in the server's session list. Each attempt has its own, so
 * that whoever ends the sessions of one, however late, ends none of the next.
 */
export function sessionName({ operationId, attempt }: { operationId: string; attempt: number }): string {
  return `holdfast:${operationId}#${attempt}`;
}
