import type { MiddlewareHandler } from 'hono'
import { isLoopback } from '../lib/loopback.ts'
import { Problem } from '../problem.ts'

/** Paths that accept an API key. A redirect would hide from the client that it sends its key unencrypted. */
const TAKES_API_KEY = /^\/(api|ready)(\/|$)/

/**
 * Rejects plain http, except for this machine: codes, tokens and keys would be sent unencrypted (RFC 6749 section
 * 3.1.2.1). Pages redirect to https. Throws `forbidden` before the API key is read.
 */
export const requireHttps: MiddlewareHandler = async (c, next) => {
  if (c.req.url.startsWith('https:')) return next()
  const url = new URL(c.req.url)
  if (isLoopback(url.hostname)) return next()
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD'
  if (!isRead || TAKES_API_KEY.test(c.req.path)) {
    throw new Problem(
      'forbidden',
      'Use https. This request came by http, so its API key must be replaced if it had one.',
    )
  }
  url.protocol = 'https:'
  return c.redirect(url.href, 308)
}
