import type { Context, MiddlewareHandler } from 'hono'
import { Problem } from '../problem.ts'

/** The headers by which browsers announce that nobody has opened the link yet. */
const PREFETCH_HEADERS = ['Sec-Purpose', 'Purpose', 'X-Purpose', 'X-Moz']

function isPrefetch(c: Context): boolean {
  return PREFETCH_HEADERS.some((name) => /prefetch|prerender|preview/i.test(c.req.header(name) ?? ''))
}

/**
 * Whether Fetch Metadata (W3C, section 2) shows that the request is no top-level navigation. A browser that supports it
 * sends `Sec-Fetch-Site` and `Sec-Fetch-Dest` with every request. Node's `fetch` sends only `Sec-Fetch-Mode: cors`, so a
 * request with that header alone comes from a script.
 */
function isNoNavigation(c: Context): boolean {
  const [site, dest, mode] = ['Site', 'Dest', 'Mode'].map((name) => c.req.header(`Sec-Fetch-${name}`))
  if (dest !== undefined && dest !== 'document') return true
  const isScript = mode === 'cors' && site === undefined && dest === undefined
  return mode !== undefined && mode !== 'navigate' && !isScript
}

/**
 * Accepts requests that a person opens, and requests of scripts. A prefetch, a frame, an image or a `fetch` of a page must
 * neither start a consent nor use its code. Throws `prefetch_refused` and `forbidden`.
 */
export const requireNavigation: MiddlewareHandler = async (c, next) => {
  if (isPrefetch(c)) {
    throw new Problem('prefetch_refused', 'This link does something when it is opened: do not prefetch it.', {
      retryAfterSeconds: 1,
    })
  }
  if (isNoNavigation(c)) {
    throw new Problem('forbidden', 'Open this link in a browser tab of its own. It does not work inside another page.')
  }
  await next()
}
