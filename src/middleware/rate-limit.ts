import type { Context, MiddlewareHandler } from 'hono'
import { isCompanyKey } from '../broker/company.ts'
import { Problem } from '../problem.ts'

/** The period that `wrangler.toml` gives the bindings: after it, counting begins anew. */
const PERIOD_SECONDS = 60

/** Counts one use of `key`. Throws `rate_limited` where it was one too many. */
export type RateLimiter = (key: string | undefined) => Promise<void>

export interface RateLimiters {
  /** Starts, by address. */
  start: RateLimiter
  /** Starts, by company key: of all addresses. */
  companyStart: RateLimiter
  /** Callbacks, by address. */
  callback: RateLimiter
  /** Wrong API keys, by address. A right one is never held back. */
  failedKey: RateLimiter
  /** Forced refreshes, by company key, those that join another included. */
  forcedRefresh: RateLimiter
}

interface RateLimitBinding {
  limit(options: { key: string }): Promise<{ success: boolean }>
}
function isRateLimit(binding: unknown): binding is RateLimitBinding {
  return typeof binding === 'object' && binding !== null && 'limit' in binding && typeof binding.limit === 'function'
}

function rateLimited() {
  return new Problem('rate_limited', 'There were too many requests of this kind. Ask again after Retry-After.', {
    retryAfterSeconds: PERIOD_SECONDS,
  })
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

/** All that one subscriber holds: an IPv6 address without its interface identifier (RFC 4291 section 2.5.1). */
export function network(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = head.split(':').filter(Boolean)
  if (tail !== undefined) {
    const after = tail.split(':').filter(Boolean)
    while (groups.length + after.length < 8) groups.push('0')
    groups.push(...after)
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}

/** Where a request comes from, as Cloudflare tells and nobody else can. `undefined` without Cloudflare. */
export function clientNetwork(c: Context): string | undefined {
  const address = c.req.header('CF-Connecting-IP')
  return address === undefined ? undefined : network(address)
}

/** Put before the start route. */
export function limitStarts({ start, companyStart }: RateLimiters): MiddlewareHandler {
  return async (c, next) => {
    await start(clientNetwork(c))
    const companyKey = c.req.param('company_key') ?? ''
    if (isCompanyKey(companyKey)) await companyStart(companyKey)
    await next()
  }
}

/** Put before the callback route. */
export function limitCallbacks({ callback }: RateLimiters): MiddlewareHandler {
  return async (c, next) => {
    await callback(clientNetwork(c))
    await next()
  }
}
