import type { Context, MiddlewareHandler } from 'hono'
import { isCompanyKey } from '../broker/company.ts'
import { clientSubscriber } from '../http/client-address.ts'
import { hasShortQuery, queryValues } from '../http/request.ts'
import { Problem } from '../problem.ts'

/** The period of the bindings in `wrangler.toml`. */
const PERIOD_SECONDS = 60

/** Counts one use of `key`. Throws `rate_limited` above the limit. */
export type RateLimiter = (key: string | undefined) => Promise<void>

export interface RateLimiters {
  /** Starts, by address. */
  start: RateLimiter
  /** Starts, by company key, over all addresses. */
  companyStart: RateLimiter
  /** Callbacks, by address. */
  callback: RateLimiter
  /** Callbacks, by the company key of their state, over all addresses. */
  companyCallback: RateLimiter
  /** Wrong API keys, by address. A valid key works from a limited address: others may share it. */
  failedKey: RateLimiter
  /** Forced refreshes, by company key, including those that join another one. */
  forcedRefresh: RateLimiter
}

interface RateLimitBinding {
  limit(options: { key: string }): Promise<{ success: boolean }>
}
function isRateLimit(binding: unknown): binding is RateLimitBinding {
  return typeof binding === 'object' && binding !== null && 'limit' in binding && typeof binding.limit === 'function'
}

function rateLimited() {
  return new Problem(
    'rate_limited',
    'There were too many requests of this kind. Try again after the time in Retry-After.',
    {
      retryAfterSeconds: PERIOD_SECONDS,
    },
  )
}

/**
 * A rate limiter over a rate-limit binding. The binding counts approximately, per Cloudflare location, so this is not a
 * quota. Fails open: without a binding or a key, or if the binding fails, every request passes.
 */
export function createRateLimiter(binding: unknown): RateLimiter {
  if (!isRateLimit(binding)) return async () => undefined
  return async (key) => {
    if (key === undefined) return
    const { success } = await binding.limit({ key }).catch(() => ({ success: true }))
    if (!success) throw rateLimited()
  }
}

/** Put before the start route. */
export function limitStarts({ start, companyStart }: RateLimiters): MiddlewareHandler {
  return async (c, next) => {
    await start(clientSubscriber(c))
    const companyKey = c.req.param('company_key') ?? ''
    if (isCompanyKey(companyKey)) await companyStart(companyKey)
    await next()
  }
}

/** The company key that a callback claims, before its state is looked up. */
function claimedCompanyKey(c: Context): string | undefined {
  const [state = ''] = hasShortQuery(c) ? queryValues(c, 'state') : []
  const companyKey = state.slice(0, state.indexOf(':'))
  return isCompanyKey(companyKey) ? companyKey : undefined
}

/**
 * Put before the callback route. Each callback can cause an exchange at Intuit, and its response can show whether a company
 * key is connected. The limits make guessing slow.
 */
export function limitCallbacks({ callback, companyCallback }: RateLimiters): MiddlewareHandler {
  return async (c, next) => {
    await callback(clientSubscriber(c))
    await companyCallback(claimedCompanyKey(c))
    await next()
  }
}
