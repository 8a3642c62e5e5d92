export type AbortKind = "cancel" | "stall" | "lost" | "shutdown";

/** Why a run was aborted; the reason of its signal. */
export class RunAborted extends Error {
  readonly kind: AbortKind;

  constructor(kind: AbortKind, message: string) {
    super(message);
    this.name = "RunAborted";
    this.kind = kind;
  }
}

/** The reason of an aborted signal, if it is one of ours. */
export function abortOf(signal: AbortSignal): RunAborted | null {
  return signal.aborted && signal.reason instanceof RunAborted ? signal.reason : null;
}
