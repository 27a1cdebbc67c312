import * as v from 'valibot'
import { DEFAULT_TIMING, fitsTogether } from '../broker/timing.ts'
import { milliseconds, seconds, TRUE_OR_FALSE } from './formats.ts'
import { KEY_LIST } from './key-list.ts'

/**
 * Half the lifetime of an access token from Intuit. With a longer margin, most reads would refresh the token. Seconds.
 */
export const MAX_MARGIN_SECONDS = 1800

/** The keys that encrypt stored tokens. Without one, tokens are stored in plain text. */
export const ENCRYPTION_KEYS = v.pipe(
  v.object({ TOKEN_ENCRYPTION_KEYS: v.optional(KEY_LIST) }),
  v.transform((env) => env.TOKEN_ENCRYPTION_KEYS ?? []),
)

/** Whether a stored token that is not encrypted is rejected. Needs an encryption key. */
export const ENCRYPTED_TOKENS = v.pipe(
  v.object({ TOKEN_ENCRYPTION_KEYS: v.optional(KEY_LIST), REQUIRE_SEALED: v.optional(TRUE_OR_FALSE, 'false') }),
  v.forward(
    v.check(
      ({ REQUIRE_SEALED, TOKEN_ENCRYPTION_KEYS: keys }) => REQUIRE_SEALED !== 'true' || keys !== undefined,
      'can be true only if TOKEN_ENCRYPTION_KEYS is set',
    ),
    ['REQUIRE_SEALED'],
  ),
  v.transform((env) => ({ isRequired: env.REQUIRE_SEALED === 'true' })),
)

/** How long before its expiry an access token is refreshed. */
export const FRESHNESS = v.pipe(
  v.object({ TOKEN_REFRESH_MARGIN_SECONDS: seconds(300, MAX_MARGIN_SECONDS) }),
  v.transform((env) => ({ marginSeconds: env.TOKEN_REFRESH_MARGIN_SECONDS })),
)

/** How long an isolate caches a token. 0 turns the cache off. */
export const TOKEN_CACHE = v.pipe(
  v.object({ TOKEN_CACHE_SECONDS: seconds(10, 3600) }),
  v.transform((env) => ({ cacheSeconds: env.TOKEN_CACHE_SECONDS })),
)

const INCONSISTENT =
  'does not fit the other times: REFRESH_LEASE_MS must be at least REFRESH_DEADLINE_MS and twice CLOCK_SKEW_MS, INTUIT_TIMEOUT_MS at most two thirds of REFRESH_DEADLINE_MS'

/** Lease, deadlines, timeouts and clock skew of a refresh, in ms. Checks that they are consistent. */
export const TIMING = v.pipe(
  v.object({
    REFRESH_LEASE_MS: milliseconds(DEFAULT_TIMING.leaseMs),
    REFRESH_DEADLINE_MS: milliseconds(DEFAULT_TIMING.deadlineMs),
    REFRESH_WAIT_MS: milliseconds(DEFAULT_TIMING.waitMs),
    INTUIT_TIMEOUT_MS: milliseconds(DEFAULT_TIMING.intuitMs),
    CLOCK_SKEW_MS: milliseconds(DEFAULT_TIMING.skewMs),
  }),
  v.forward(
    v.check((env) => fitsTogether(toTiming(env)), INCONSISTENT),
    ['REFRESH_LEASE_MS'],
  ),
  v.transform(toTiming),
)

function toTiming(env: {
  REFRESH_LEASE_MS: number
  REFRESH_DEADLINE_MS: number
  REFRESH_WAIT_MS: number
  INTUIT_TIMEOUT_MS: number
  CLOCK_SKEW_MS: number
}) {
  return {
    leaseMs: env.REFRESH_LEASE_MS,
    deadlineMs: env.REFRESH_DEADLINE_MS,
    intuitMs: env.INTUIT_TIMEOUT_MS,
    waitMs: env.REFRESH_WAIT_MS,
    skewMs: env.CLOCK_SKEW_MS,
  }
}
