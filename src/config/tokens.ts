import * as v from 'valibot'
import { DEFAULT_TIMING, fitsTogether } from '../broker/timing.ts'
import { milliseconds, seconds } from './forms.ts'
import { keyList } from './key-list.ts'

/** The keys that tokens at rest are sealed with; none, and they are stored as they are. */
export function sealing() {
  return v.pipe(
    v.object({ TOKEN_ENCRYPTION_KEYS: v.optional(keyList()) }),
    v.transform((env) => env.TOKEN_ENCRYPTION_KEYS ?? []),
  )
}

/** How long before its end a token is renewed, and how long it may be answered from memory. */
export function freshness() {
  return v.pipe(
    v.object({ TOKEN_REFRESH_MARGIN_SECONDS: seconds(300, 86_400), TOKEN_CACHE_SECONDS: seconds(10, 3600) }),
    v.transform((env) => ({
      marginSeconds: env.TOKEN_REFRESH_MARGIN_SECONDS,
      cacheSeconds: env.TOKEN_CACHE_SECONDS,
    })),
  )
}

/** The times of a refresh. */
export function timing() {
  return v.pipe(
    v.object({
      REFRESH_LEASE_MS: milliseconds(DEFAULT_TIMING.leaseMs),
      REFRESH_DEADLINE_MS: milliseconds(DEFAULT_TIMING.deadlineMs),
      REFRESH_WAIT_MS: milliseconds(DEFAULT_TIMING.waitMs),
      INTUIT_TIMEOUT_MS: milliseconds(DEFAULT_TIMING.intuitMs),
      CLOCK_SKEW_MS: milliseconds(DEFAULT_TIMING.skewMs),
    }),
    v.transform((env) => ({
      leaseMs: env.REFRESH_LEASE_MS,
      deadlineMs: env.REFRESH_DEADLINE_MS,
      intuitMs: env.INTUIT_TIMEOUT_MS,
      waitMs: env.REFRESH_WAIT_MS,
      skewMs: env.CLOCK_SKEW_MS,
    })),
    v.check(
      fitsTogether,
      'has times that do not fit together: REFRESH_LEASE_MS must be at least REFRESH_DEADLINE_MS and twice CLOCK_SKEW_MS, INTUIT_TIMEOUT_MS at most two thirds of REFRESH_DEADLINE_MS',
    ),
  )
}
