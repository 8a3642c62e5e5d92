/** What a suite found: how many passed, and the name of each that did not. */
export interface Tally {
  passed: number;
  failures: string[];
}

export function sum(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((total, tally) => total + tally.passed, 0),
    failures: tallies.flatMap((tally) => tally.failures),
  };
}
