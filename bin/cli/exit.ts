/** Exit codes of the CLI (docs/cli.md). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  notProven: 4,
  timedOut: 5,
  unreachable: 6,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a sentence on stderr and a code. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  readonly remedy: string | undefined;

  constructor(exitCode: ExitCode, message: string, remedy?: string) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
    this.remedy = remedy;
  }
}
