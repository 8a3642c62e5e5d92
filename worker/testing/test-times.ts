/** The machinery's times, shortened in proportion to the lease. */
export function testTimes(leaseMs = 3_000) {
  return {
    leaseMs,
    abortGraceMs: 1_000,
    reconciler: { everyMs: 250, graceMs: 0, restartGraceMs: 2_000, unsentMs: 500 },
  };
}
