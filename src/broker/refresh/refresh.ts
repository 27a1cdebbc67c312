import { Problem } from '../../problem.ts'
import type { Connection, EpochSeconds, WithAccessToken } from '../connection.ts'
import { connectionNotFound, missingRefreshToken, refreshInProgress } from '../errors.ts'
import type { WaitUntil } from '../ports/runtime.ts'
import { createSingleFlight } from '../single-flight.ts'
import { acquisitionMs } from '../timing.ts'
import { createAwaitLease } from './await-lease.ts'
import { createStandingFailure } from './circuit-breaker.ts'
import { createRedeem, type RedeemDeps } from './redeem.ts'
import { ifValid, type RefreshRequest, usableDespite } from './usable-token.ts'

/** Renewal of a stored pair: claim, spend, store on condition of the token that was spent, and only then answer. */
export function createRefresh(deps: RedeemDeps) {
  const { connections, intuit, settings, runtime, timing, limit, marginSeconds } = deps
  const redeem = createRedeem(deps)
  const standingFailure = createStandingFailure(intuit)
  const awaitLease = createAwaitLease(deps)
  const shared = createSingleFlight<WithAccessToken>({ runtime, timing })
  const nowSeconds = (): EpochSeconds => Math.floor(runtime.now() / 1000)
  const mayAcquire = ({ startedAt }: RefreshRequest) => runtime.now() - startedAt <= acquisitionMs(timing())

  /**
   * The token that the caller saw, where no lease was acquired: nothing was used yet. The reason does not matter. It may
   * be throttling, an error that DynamoDB just invented, a clock that is off or a lost permission to write.
   */
  const withoutLease = (error: unknown, { seen, forced }: RefreshRequest): WithAccessToken => {
    const valid = forced ? undefined : ifValid(seen, nowSeconds())
    if (valid) return valid
    throw error
  }

  /** Acquires the lease and refreshes. Resolves to the record that is `held` where another has the lease. */
  const acquire = async (request: RefreshRequest): Promise<WithAccessToken | 'again' | { held: Connection }> => {
    const { companyKey } = request.seen
    const [owner, now] = [runtime.nonce(), runtime.now()]
    const until = now + timing().leaseMs
    const mayRetry = () => !limit.isPairAtRisk()
    const claimed = await connections.claim(companyKey, { owner, now, until, mayRetry }).catch((error: unknown) => {
      return { outcome: 'failed' as const, valid: withoutLease(error, request) }
    })
    if (claimed.outcome === 'failed') return claimed.valid
    if (claimed.outcome === 'gone') throw connectionNotFound()
    if (claimed.outcome === 'held') return { held: claimed.connection }
    return redeem({ ...claimed, owner, until }, request)
  }

  const acquireLease = async (request: RefreshRequest): Promise<WithAccessToken | 'again'> => {
    const acquired = await limit.run(request.startedAt + acquisitionMs(timing()), () => acquire(request))
    if (acquired === 'again' || !('held' in acquired)) return acquired
    const outcome = await awaitLease(acquired.held, request)
    return outcome === 'free' ? 'again' : outcome
  }

  const acquireUntilDone = async (request: RefreshRequest): Promise<WithAccessToken> => {
    while (mayAcquire(request)) {
      const outcome = await acquireLease(request)
      if (outcome !== 'again') return outcome
    }
    throw refreshInProgress(1)
  }

  /** A table or a holder that cannot be waited for costs a caller nothing while the old token can be used. */
  const usableDespiteError = (error: unknown, { seen, forced }: RefreshRequest): WithAccessToken => {
    const passing =
      error instanceof Problem && (error.code === 'storage_unavailable' || error.code === 'refresh_in_progress')
    const valid = passing && !forced ? ifValid(seen, nowSeconds()) : undefined
    if (valid) return valid
    throw error
  }

  /** The flight of another request of this isolate, where it brings what this one needs. */
  const joined = async (sharedCall: Promise<WithAccessToken | undefined>, { seen, forced }: RefreshRequest) => {
    try {
      const result = await sharedCall
      return result && (!forced || result.generation > seen.generation) ? result : undefined
    } catch (error) {
      if (error instanceof Problem) throw error
      return undefined // Its owner is gone.
    }
  }

  /**
   * A connection whose access token is fresh, by this caller's refresh or by somebody else's. Throws
   * `missing_refresh_token`, `reconnect_required`, `intuit_rejected_client`, `intuit_unavailable`,
   * `refresh_in_progress`, `sealed_token_unreadable` or `storage_unavailable`.
   */
  return async (seen: Connection, forced: boolean, waitUntil: WaitUntil): Promise<WithAccessToken> => {
    if (!seen.refreshToken) throw missingRefreshToken(seen.companyKey)
    const failure = await standingFailure(seen, nowSeconds(), forced)
    if (failure) return usableDespite(seen, failure, forced, nowSeconds(), marginSeconds())
    settings.requireRefresh(seen.environment)
    const request = { seen, forced, startedAt: runtime.now(), waitUntil }
    const key = `${forced ? 'forced' : 'needed'} ${seen.companyKey}`
    try {
      const sharedCall = shared.join(key, seen.generation)
      const theirs = sharedCall && (await joined(sharedCall, request))
      // The caller may hang up; a token that was spent must be stored all the same.
      return theirs ?? (await shared.begin(key, seen.generation, waitUntil, () => acquireUntilDone(request)))
    } catch (error) {
      return usableDespiteError(error, request)
    }
  }
}

export type Refresh = ReturnType<typeof createRefresh>
