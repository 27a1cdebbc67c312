import type { Context } from 'hono'
import { accepts } from 'hono/accepts'
import { getPath } from 'hono/utils/url'
import type { WaitUntil } from '../broker/ports/runtime.ts'
import type { CallerLocation } from '../broker/ports/storage.ts'
import { Problem } from '../problem.ts'

/** The longest query that the service accepts. Code and state have at most 700 characters. */
const MAX_QUERY_LENGTH = 4096

/**
 * The decoded path without a trailing slash: `/oauth/callback/` is `/oauth/callback`. Everything after `/oauth/start/`
 * is the company key and stays unchanged, because a key has no slash.
 */
export function requestPath(request: Request): string {
  const path = getPath(request)
  return /[^/]\/$/.test(path) && !/^\/oauth\/start\/[\s\S]/.test(path) ? path.slice(0, -1) : path
}

/** Whether the query is short enough to be read. */
export function hasShortQuery(c: Context): boolean {
  const start = c.req.url.indexOf('?')
  return start === -1 || c.req.url.length - start <= MAX_QUERY_LENGTH
}

/** Rejects a query that is too long, before it is read. Throws `invalid_request`. */
export function requireShortQuery(c: Context): void {
  if (hasShortQuery(c)) return
  throw new Problem('invalid_request', `The query string is longer than ${MAX_QUERY_LENGTH} characters.`)
}

/**
 * All values of a query parameter. The URL parser replaces bytes that are not UTF-8 by U+FFFD. Throws `invalid_request` if
 * the query is too long.
 */
export function queryValues(c: Context, name: string): string[] {
  requireShortQuery(c)
  return c.req.url.includes('?') ? new URL(c.req.url).searchParams.getAll(name) : []
}

/**
 * A query parameter that may occur once (RFC 6749 section 3.1). Throws `invalid_request` with its name if it is
 * repeated.
 */
export function queryParameter(c: Context, name: string): string | undefined {
  const values = queryValues(c, name)
  if (values.length <= 1) return values[0]
  throw new Problem('invalid_request', `The query parameter ${name} is given more than once.`)
}

/** The highest quality of a media type (RFC 9110 section 12.5.1). 0 if it is not listed; wildcards do not count. */
function findQuality(accepted: readonly { type: string; q: number }[], mediaType: string): number {
  return Math.max(0, ...accepted.filter(({ type }) => type.toLowerCase() === mediaType).map(({ q }) => q))
}

/** Whether a person's browser asks: `text/html` is listed, and preferred to JSON. Programs often send wildcards. */
export function prefersHtml(c: Context): boolean {
  const preferred = accepts(c, {
    header: 'Accept',
    supports: ['application/json', 'text/html'],
    default: 'application/json',
    match: (accepted, { default: json }) =>
      findQuality(accepted, 'text/html') > findQuality(accepted, 'application/json') ? 'text/html' : json,
  })
  return preferred === 'text/html'
}

export function waitUntil(c: Context): WaitUntil {
  return (promise) => c.executionCtx.waitUntil(promise)
}

/** The caller's location. A function, because reading `cf` parses it. */
export function callerLocation(c: Context) {
  return (): CallerLocation => {
    const { continent, longitude }: Record<string, unknown> = Reflect.get(c.req.raw, 'cf') ?? {}
    return { continent: String(continent), longitude: longitude ? Number(longitude) : undefined }
  }
}
