import { type Connection, EMBARGO, type EpochMs, type WithAccessToken } from '../connection.ts'
import { connectionNotFound, refreshInProgress } from '../errors.ts'
import { jitter } from '../retry.ts'
import { acquisitionMs, nowSeconds } from '../timing.ts'
import type { RefreshDeps } from './attempt.ts'
import { findStandingFailure } from './circuit-breaker.ts'
import { type RefreshRequest, refreshedByAnother, usableDespite } from './usable-token.ts'

const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 250
const RETRY_AFTER_SECONDS = 2

type AwaitLeaseDeps = Pick<RefreshDeps, 'connections' | 'intuit' | 'runtime' | 'timing' | 'marginSeconds'>

/**
 * The result of the lease holder, or the state of the lease. Throws the problem of a failure that the holder recorded.
 */
async function classifyOutcome(
  { intuit, runtime, marginSeconds }: AwaitLeaseDeps,
  current: Connection,
  request: RefreshRequest,
): Promise<WithAccessToken | 'held' | 'free'> {
  const now = nowSeconds(runtime)
  const refreshed = refreshedByAnother(current, request, now)
  if (refreshed) return refreshed
  const { lease } = current
  const isHeld = lease !== undefined && lease.until >= runtime.now()
  if (isHeld && lease.owner !== EMBARGO) return 'held'
  const failure = isHeld ? current.failure : await findStandingFailure(intuit, current, now, request.forced)
  return failure ? usableDespite(current, failure, request.forced, now, marginSeconds()) : 'free'
}

/**
 * Reads the record again and again, until the holder has a result. A table that does not respond is waited for, too.
 */
async function poll(deps: AwaitLeaseDeps, held: Connection, request: RefreshRequest, giveUpAt: EpochMs) {
  const { connections, runtime, timing } = deps
  let current = held
  for (let pause = FIRST_PAUSE_MS; runtime.now() < giveUpAt; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    const outcome = await classifyOutcome(deps, current, request)
    const mayAcquire = runtime.now() - request.startedAt <= acquisitionMs(timing())
    if (outcome !== 'held' && (outcome !== 'free' || mayAcquire)) return outcome
    await runtime.sleep(jitter(pause, runtime))
    const read = await connections.read(current.companyKey, nowSeconds(runtime)).catch(() => current)
    if (!read) throw connectionNotFound()
    current = read
  }
  return undefined
}

/**
 * Waits for the holder of the lease. Returns its result, or `free` if this request may acquire the lease itself. A waiter
 * never records a failure. Throws `refresh_in_progress` when the time of the request is over.
 */
export async function awaitLease(
  deps: AwaitLeaseDeps,
  held: Connection,
  request: RefreshRequest,
): Promise<WithAccessToken | 'free'> {
  const { runtime, timing } = deps
  const giveUpAt = request.startedAt + timing().waitMs
  const timedOut = runtime.sleep(Math.max(0, giveUpAt - runtime.now())).then(() => undefined)
  const outcome = await Promise.race([poll(deps, held, request, giveUpAt), timedOut])
  if (outcome) return outcome
  throw refreshInProgress(RETRY_AFTER_SECONDS)
}
