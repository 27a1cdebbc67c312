/** Shorter times for a refresh, so that leases lapse in seconds. The defaults are 45 s for a lease and 25 s for the deadline. */
export const SCALED = { leaseMs: 6_400, deadlineMs: 6_000, waitMs: 2_500, intuitMs: 3_000, skewMs: 200 } as const

export const scaledVars = {
  REFRESH_LEASE_MS: String(SCALED.leaseMs),
  REFRESH_DEADLINE_MS: String(SCALED.deadlineMs),
  REFRESH_WAIT_MS: String(SCALED.waitMs),
  INTUIT_TIMEOUT_MS: String(SCALED.intuitMs),
  CLOCK_SKEW_MS: String(SCALED.skewMs),
  DYNAMODB_TIMEOUT_MS: '4500',
  TOKEN_CACHE_SECONDS: '0',
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
