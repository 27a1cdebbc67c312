import type { Context } from 'hono'
import { Hono } from 'hono'
import type { Broker } from '../broker/broker.ts'
import { parseCompanyKey } from '../broker/company.ts'
import type { UsableToken } from '../broker/connection.ts'
import type { Source } from '../broker/tokens/get-token.ts'
import { callerLocation, queryParameter, waitUntil } from '../http/request.ts'
import { requirePermission } from '../middleware/api-key.ts'
import type { RateLimiter } from '../middleware/rate-limit.ts'
import { Problem } from '../problem.ts'
import { MAX_MIN_TTL_SECONDS } from './schemas/parameter-formats.ts'
import type { TokenBody } from './schemas/token.ts'

/**
 * The API reference's response of `GET /api/token/{company_key}`. Values that a record written by hand does not
 * have are `null`.
 */
export function tokenBody({ accessToken, connection }: UsableToken): TokenBody {
  return {
    company_key: connection.companyKey,
    company_name: connection.companyName,
    realm_id: connection.realmId ?? null,
    access_token: accessToken,
    access_token_expires_at: connection.accessTokenExpiresAt,
    refresh_token_expires_at: connection.refreshTokenExpiresAt ?? null,
    updated_at: connection.updatedAt ?? null,
    last_refresh_at: connection.lastRefreshAt ?? null,
    uses_sandbox_credentials: connection.environment === 'sandbox',
  }
}

/** `no-transform`: an edge that compresses the response would weaken the ETag (RFC 9110 section 8.8.1). */
function answer(c: Context, token: UsableToken, source: Source, ms: number) {
  c.set('source', source)
  return c.json(tokenBody(token), 200, {
    ETag: `"${token.connection.generation}"`,
    'Cache-Control': 'no-store, no-transform',
    // Where the token came from, and how long that took.
    'Server-Timing': `${source};dur=${ms}`,
  })
}

/** The minimum remaining lifetime of the token, in seconds. Throws `invalid_request`. */
function minTtlSeconds(c: Context): number {
  const text = queryParameter(c, 'min_ttl') ?? '0'
  if (/^\d{1,4}$/.test(text) && Number(text) <= MAX_MIN_TTL_SECONDS) return Number(text)
  throw new Problem('invalid_request', `The parameter min_ttl must be 0 to ${MAX_MIN_TTL_SECONDS} seconds.`)
}

/**
 * `Cache-Control: no-cache` of a request (RFC 9111 section 5.2.1.4): the response must come from the table.
 */
function bypassesCache(c: Context): boolean {
  return /(?:^|,)\s*no-(?:cache|store)\s*(?:,|$)/i.test(c.req.header('Cache-Control') ?? '')
}

/**
 * The generations in `If-Match` (RFC 9110 section 13.1.1). `undefined` if it is absent or `*`. A weak tag counts as a
 * strong one, because an edge may have weakened ours. Throws `invalid_request`.
 */
function matchedGenerations(c: Context): number[] | undefined {
  const header = c.req.header('If-Match')?.trim()
  if (header === undefined || header === '*') return undefined
  const tags = header.split(',').map((tag) => /^(?:W\/)?"([^"]*)"$/.exec(tag.trim())?.[1])
  if (tags.includes(undefined))
    throw new Problem('invalid_request', 'If-Match must be the ETag of a token answer, or *.')
  return tags.map((tag) => (/^\d{1,15}$/.test(tag ?? '') ? Number(tag) : Number.NaN))
}

/**
 * `GET /api/token/{company_key}` and `POST /api/token/{company_key}/refresh`, whose rate `forcedRefresh` limits. `now`
 * in milliseconds.
 */
export function tokenRoutes(broker: Broker, forcedRefresh: RateLimiter, now: () => number) {
  const companyKey = (c: Context) => parseCompanyKey(c.req.param('company_key') ?? '')
  const token = async (c: Context) => {
    const wanted = { minTtlSeconds: minTtlSeconds(c), fromTable: bypassesCache(c), from: callerLocation(c) }
    const startedAt = now()
    const { token, source } = await broker.freshToken(companyKey(c), wanted, waitUntil(c))
    return answer(c, token, source, now() - startedAt)
  }
  const refresh = async (c: Context) => {
    const [startedAt, key, generations] = [now(), companyKey(c), matchedGenerations(c)]
    await forcedRefresh(key)
    const token = await broker.refreshedToken(key, generations, waitUntil(c))
    return answer(c, token, 'intuit', now() - startedAt)
  }

  return new Hono()
    .get('/', token)
    .get('/:company_key{[^/]*}', requirePermission('token:read'), token)
    .post('/:company_key{[^/]*}/refresh', requirePermission('token:refresh'), refresh)
}
