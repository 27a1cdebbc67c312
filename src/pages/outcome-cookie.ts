import type { Context } from 'hono'
import * as v from 'valibot'
import { readHostCookie, setHostCookie } from '../http/cookies.ts'
import { isProblemCode } from '../problem.ts'
import type { ShownConnection } from './connected.ts'
import type { ShownProblem } from './problem.ts'

/**
 * What the callback leaves for the page that follows it, since the address bar must not carry it: the name of the
 * company, or what went wrong. For this browser and host alone, out of reach of scripts, gone after ten minutes.
 */
const KEPT_SECONDS = 600
const CONNECTED = 'connected'
const PROBLEM = 'problem'
/** A cookie has 4096 bytes in all, and the longest texts are ours and plain. */
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

export function keepConnected(c: Context, shown: ShownConnection): void {
  setHostCookie(c, CONNECTED, JSON.stringify(shown), KEPT_SECONDS)
}

/** The company that this browser connected last. */
export function keptConnected(c: Context): ShownConnection | undefined {
  const stored = v.safeParse(STORED_CONNECTION, readHostCookie(c, CONNECTED))
  return stored.success ? { realmId: undefined, ...stored.output } : undefined
}

export function keepProblem(c: Context, problem: ShownProblem): void {
  setHostCookie(
    c,
    PROBLEM,
    JSON.stringify({ ...problem, detail: problem.detail.slice(0, MAX_DETAIL_LENGTH) }),
    KEPT_SECONDS,
  )
}

/** The problem that this browser met last. */
export function keptProblem(c: Context): ShownProblem | undefined {
  const stored = v.safeParse(STORED_PROBLEM, readHostCookie(c, PROBLEM))
  return stored.success ? stored.output : undefined
}
