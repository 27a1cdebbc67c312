import type { Context } from 'hono'
import * as v from 'valibot'
import type { ShownConnection } from './connected.ts'
import type { ShownProblem } from './problem-page.ts'

/**
 * What the callback leaves for the page that follows it, since the address bar must not carry it: the name of the
 * company, or what went wrong. For this browser and host alone, out of reach of scripts, gone after ten minutes.
 */
const KEPT_SECONDS = 600
const CONNECTED = 'connected'
const PROBLEM = 'problem'
/** A cookie has 4096 bytes in all, and the longest texts are ours and plain. */
const MAX_DETAIL_LENGTH = 800

/** The `__Host-` prefix keeps other hosts, and http, from setting it (RFC 6265bis section 4.1.3.2). */
const keep = (c: Context, name: string, value: string) =>
  c.header(
    'Set-Cookie',
    `__Host-${name}=${encodeURIComponent(value)}; Max-Age=${KEPT_SECONDS}; Path=/; HttpOnly; Secure; SameSite=Lax`,
    { append: true },
  )

const kept = (c: Context, name: string): string | undefined => {
  const value = new RegExp(`(?:^|; )__Host-${name}=([^;]*)`).exec(c.req.header('Cookie') ?? '')?.[1]
  try {
    return value && decodeURIComponent(value)
  } catch {
    return undefined
  }
}

const SHOWN_PROBLEM = v.object({
  code: v.string(),
  detail: v.string(),
  requestId: v.string(),
  intuitTid: v.optional(v.string()),
  startPath: v.optional(v.pipe(v.string(), v.startsWith('/oauth/start/'))),
})
const STORED_CONNECTION = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ companyName: v.string(), sharesRealm: v.boolean() }),
)
const STORED_PROBLEM = v.pipe(v.string(), v.parseJson(), SHOWN_PROBLEM)

export const keepConnected = (c: Context, shown: ShownConnection): void => keep(c, CONNECTED, JSON.stringify(shown))

/** The company that this browser connected last. */
export const keptConnected = (c: Context): ShownConnection | undefined => {
  const stored = v.safeParse(STORED_CONNECTION, kept(c, CONNECTED))
  return stored.success ? stored.output : undefined
}

export const keepProblem = (c: Context, problem: ShownProblem): void =>
  keep(c, PROBLEM, JSON.stringify({ ...problem, detail: problem.detail.slice(0, MAX_DETAIL_LENGTH) }))

/** The problem that this browser met last. */
export const keptProblem = (c: Context): ShownProblem | undefined => {
  const stored = v.safeParse(STORED_PROBLEM, kept(c, PROBLEM))
  return stored.success ? stored.output : undefined
}
