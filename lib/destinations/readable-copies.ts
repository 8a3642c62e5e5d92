/** Copies whose destination may be read, those nearest to the workers first; the order is kept otherwise. */
export function readableCopies<C extends { destination: { kind: string; lacks: string[] } }>(
  copies: readonly C[],
): C[] {
  const rank = ({ destination }: C) => (destination.kind === "local" ? 0 : 1);
  return copies
    .filter(({ destination }) => !destination.lacks.includes("read"))
    .toSorted((a, b) => rank(a) - rank(b));
}
