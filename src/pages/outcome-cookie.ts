import type { Context } from 'hono'
import * as v from 'valibot'
import { readHostCookie, setHostCookie } from '../http/cookies.ts'
import { isProblemCode } from '../problem.ts'
import type { ShownConnection } from './connected.ts'
import type { ShownProblem } from './problem.ts'

/**
 * The callback stores its result in a cookie, so that the next page can show it and the URL stays free of data. The
 * cookie is bound to this host, unreadable for scripts, and expires after ten minutes.
 */
const MAX_AGE_SECONDS = 600
const CONNECTED = 'connected'
const PROBLEM = 'problem'
/** In characters. Browsers limit a cookie to 4096 bytes. The details that are this long are ASCII. */
const MAX_DETAIL_LENGTH = 600

const CONSENT_OUTCOME = v.variant('connected', [
  v.object({ connected: v.literal(true), companyName: v.string() }),
  v.object({ connected: v.literal(false), code: v.pipe(v.string(), v.check(isProblemCode), v.guard(isProblemCode)) }),
])
const SHOWN_PROBLEM = v.object({
  code: v.string(),
  detail: v.string(),
  requestId: v.string(),
  intuitTid: v.optional(v.string()),
  intuitError: v.optional(v.string()),
  company: v.optional(
    v.object({
      name: v.string(),
      standing: v.picklist(['connected', 'reconnect_required', 'not_connected', 'unknown']),
    }),
  ),
  start: v.optional(v.object({ path: v.pipe(v.string(), v.regex(/^\/oauth\/start\//)), isNamed: v.boolean() })),
  needsNewLink: v.optional(v.boolean()),
  earlierOutcome: v.optional(CONSENT_OUTCOME),
})
const STORED_CONNECTION = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ companyName: v.string(), realmId: v.optional(v.string()), sharesRealm: v.boolean() }),
)
const STORED_PROBLEM = v.pipe(v.string(), v.parseJson(), SHOWN_PROBLEM)

/** Stores the connection for the next page. */
export function setConnectedCookie(c: Context, shown: ShownConnection): void {
  setHostCookie(c, CONNECTED, JSON.stringify(shown), MAX_AGE_SECONDS)
}

/** Reads the connection that this browser made last. `undefined` if the cookie is missing or malformed. */
export function getConnectedCookie(c: Context): ShownConnection | undefined {
  const stored = v.safeParse(STORED_CONNECTION, readHostCookie(c, CONNECTED))
  return stored.success ? { realmId: undefined, ...stored.output } : undefined
}

/** Stores the problem for the next page. Cuts a long `detail`. */
export function setProblemCookie(c: Context, problem: ShownProblem): void {
  setHostCookie(
    c,
    PROBLEM,
    JSON.stringify({ ...problem, detail: problem.detail.slice(0, MAX_DETAIL_LENGTH) }),
    MAX_AGE_SECONDS,
  )
}

/** Reads the last problem of this browser. `undefined` if the cookie is missing or malformed. */
export function getProblemCookie(c: Context): ShownProblem | undefined {
  const stored = v.safeParse(STORED_PROBLEM, readHostCookie(c, PROBLEM))
  return stored.success ? stored.output : undefined
}
