import type { MiddlewareHandler } from 'hono'
import { isLoopback } from '../lib/loopback.ts'
import { Problem } from '../problem.ts'

/** Paths that take an API key. A client that sends its key in the clear must notice, and not be redirected. */
const TAKES_API_KEY = /^\/(api|ready)(\/|$)/

/**
 * Rejects plain http, except for a host of this machine: codes, tokens and keys would travel in the clear (RFC 6749
 * section 3.1.2.1). A person is redirected to https. Throws `forbidden`, before the API key is read.
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
