import type { MiddlewareHandler } from 'hono'

/**
 * The headers of every response, unless its route sets others. Not Hono's `secure-headers`
 * (docs/decisions/0010-hono-helpers.md). There is no CORS header: no page of another origin may read a response.
 */
const HEADERS = Object.entries({
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  // A year, in seconds.
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
})

/**
 * Gives each request an id, and sets the headers before the response is made: Hono copies the response for each header
 * that is set later.
 */
export const setResponseHeaders: MiddlewareHandler<{ Variables: { requestId: string } }> = async (c, next) => {
  const requestId = crypto.randomUUID()
  c.set('requestId', requestId)
  c.header('X-Request-Id', requestId)
  for (const [name, value] of HEADERS) c.header(name, value)
  await next()
}
