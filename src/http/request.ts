import type { Context } from 'hono'
import { getPath } from 'hono/utils/url'
import type { WaitUntil } from '../broker/ports/runtime.ts'
import type { CallerLocation } from '../broker/ports/storage.ts'
import { Problem } from '../problem.ts'

/** The longest query that any caller of ours has a reason to send: code and state have at most 700 characters. */
const MAX_QUERY_LENGTH = 4096

/**
 * The decoded path without a trailing slash: `/oauth/callback/` is `/oauth/callback`. Everything after `/oauth/start/`
 * is the company key and stays as it is, since a key has no slash.
 */
export function requestPath(request: Request): string {
  const path = getPath(request)
  return /[^/]\/$/.test(path) && !/^\/oauth\/start\/[\s\S]/.test(path) ? path.slice(0, -1) : path
}

/** Whether the query has a length that it is worth reading at. */
export function hasShortQuery(c: Context): boolean {
  const start = c.req.url.indexOf('?')
  return start === -1 || c.req.url.length - start <= MAX_QUERY_LENGTH
}

/** Refuses an over-long query before anything in it is looked at. Throws `invalid_request`. */
export function requireShortQuery(c: Context): void {
  if (hasShortQuery(c)) return
  throw new Problem('invalid_request', `The query string is longer than ${MAX_QUERY_LENGTH} characters.`)
}

/**
 * Every value of a query parameter. Read by the URL standard, which leaves U+FFFD of bytes that are not UTF-8. Throws
 * `invalid_request` where the query is over-long, which nothing reads.
 */
export function queryValues(c: Context, name: string): string[] {
  requireShortQuery(c)
  return c.req.url.includes('?') ? new URL(c.req.url).searchParams.getAll(name) : []
}

/** A query parameter that may be given once (RFC 6749 section 3.1). Throws `invalid_request`, naming it, if it is repeated. */
export function queryParameter(c: Context, name: string): string | undefined {
  const values = queryValues(c, name)
  if (values.length <= 1) return values[0]
  throw new Problem('invalid_request', `The query parameter ${name} is given more than once.`)
}

/** The quality of a media type in `Accept`, 0 if it is not listed (RFC 9110 section 12.5.1). Wildcards do not count. */
function findQuality(accept: string, mediaType: string): number {
  const range = accept.split(',').find((one) => one.split(';', 1)[0]?.trim().toLowerCase() === mediaType)
  return range === undefined ? 0 : Number(/;\s*q=([\d.]+)/i.exec(range)?.[1] ?? 1)
}

/** Whether the client prefers HTML. Without a preference it gets JSON. */
export function prefersHtml(c: Context): boolean {
  const accept = c.req.header('Accept') ?? ''
  return findQuality(accept, 'text/html') > findQuality(accept, 'application/json')
}

export function waitUntil(c: Context): WaitUntil {
  return (promise) => c.executionCtx.waitUntil(promise)
}

/** Where the caller is by its address. Only asked for where it matters: to read `cf` is to parse it. */
export function callerLocation(c: Context) {
  return (): CallerLocation => {
    const { continent, longitude }: Record<string, unknown> = Reflect.get(c.req.raw, 'cf') ?? {}
    return { continent: String(continent), longitude: longitude ? Number(longitude) : undefined }
  }
}
