import { type Connection, EMBARGO, type EpochSeconds, type WithAccessToken } from '../connection.ts'
import { connectionNotFound, refreshInProgress } from '../errors.ts'
import type { AuthorizationServer } from '../ports/intuit.ts'
import type { Runtime } from '../ports/runtime.ts'
import type { ConnectionStore } from '../ports/storage.ts'
import { jitter } from '../retry.ts'
import { acquisitionMs, type Timing } from '../timing.ts'
import { createStandingFailure } from './circuit-breaker.ts'
import { type RefreshRequest, refreshedByAnother, usableDespite } from './usable-token.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 250
const RETRY_AFTER_SECONDS = 2

interface AwaitLeaseDeps {
  connections: ConnectionStore
  intuit: Pick<AuthorizationServer, 'clientDigest'>
  runtime: Runtime
  timing(): Timing
  marginSeconds(): number
}

/** For those who find the lease in other hands. A refused claim is an answer, not an error: a waiter never marks anything dead. */
export function createAwaitLease({ connections, intuit, runtime, timing, marginSeconds }: AwaitLeaseDeps) {
  const standingFailure = createStandingFailure(intuit)
  const nowSeconds = (): EpochSeconds => Math.floor(runtime.now() / 1000)

  /** The holder's result, the failure that it left, or how the lease stands. */
  const classifyOutcome = async (
    current: Connection,
    request: RefreshRequest,
  ): Promise<WithAccessToken | 'held' | 'free'> => {
    const now = nowSeconds()
    const theirs = refreshedByAnother(current, request, now)
    if (theirs) return theirs
    const { lease } = current
    const isHeld = lease !== undefined && lease.until >= runtime.now()
    if (isHeld && lease.owner !== EMBARGO) return 'held'
    const failure = isHeld ? current.failure : await standingFailure(current, now, request.forced)
    return failure ? usableDespite(current, failure, request.forced, now, marginSeconds()) : 'free'
  }

  /** Reads again and again. A table that is out of reach for a moment is waited for like the holder. */
  const watch = async (held: Connection, request: RefreshRequest, giveUpAt: number) => {
    let current = held
    for (let pause = FIRST_PAUSE_MS; runtime.now() < giveUpAt; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const outcome = await classifyOutcome(current, request)
      const mayAcquire = runtime.now() - request.startedAt <= acquisitionMs(timing())
      if (outcome !== 'held' && (outcome !== 'free' || mayAcquire)) return outcome
      await runtime.sleep(jitter(pause, runtime))
      const read = await connections.read(current.companyKey, nowSeconds()).catch(() => current)
      if (!read) throw connectionNotFound()
      current = read
    }
    return undefined
  }

  /** Resolves to the holder's result, or to `free` where this request may still claim the lease itself. Throws `refresh_in_progress` when its time is over. */
  return async (held: Connection, request: RefreshRequest): Promise<WithAccessToken | 'free'> => {
    const giveUpAt = request.startedAt + timing().waitMs
    const patience = runtime.sleep(Math.max(0, giveUpAt - runtime.now())).then(() => undefined)
    const outcome = await Promise.race([watch(held, request, giveUpAt), patience])
    if (outcome) return outcome
    throw refreshInProgress(RETRY_AFTER_SECONDS)
  }
}
