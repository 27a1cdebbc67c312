import { Problem } from '../problem.ts'
import { createStandingFailure } from './breaker.ts'
import type { Connection, EpochSeconds, WithAccessToken } from './connection.ts'
import { flights } from './flights.ts'
import { despiteFailure, type RefreshRequest, stillValid } from './judgement.ts'
import type { KeepAlive } from './ports.ts'
import { connectionNotFound, missingRefreshToken, refreshInProgress } from './refusals.ts'
import { type SpendPorts, spending } from './spend.ts'
import { claimingMs } from './timing.ts'
import { waiting } from './wait.ts'

/** Renewal of a stored pair: claim, spend, store on condition of the token that was spent, and only then answer. */
export function refreshing(ports: SpendPorts) {
  const { connections, intuit, settings, surroundings, timing, limit, marginSeconds } = ports
  const spend = spending(ports)
  const standingFailure = createStandingFailure(intuit)
  const awaitHolder = waiting(ports)
  const shared = flights<WithAccessToken>({ surroundings, timing })
  const nowSeconds = (): EpochSeconds => Math.floor(surroundings.now() / 1000)
  const mayClaim = ({ startedAt }: RefreshRequest) => surroundings.now() - startedAt <= claimingMs(timing())

  /**
   * The token that the caller saw, where no lease was acquired: nothing was used yet. The reason does not matter. It may
   * be throttling, an error that DynamoDB just invented, a clock that is off or a lost permission to write.
   */
  const withoutLease = (error: unknown, { seen, forced }: RefreshRequest): WithAccessToken => {
    const valid = forced ? undefined : stillValid(seen, nowSeconds())
    if (valid) return valid
    throw error
  }

  /** Acquires the lease and refreshes. Resolves to the record that is `held` where another has the lease. */
  const acquire = async (request: RefreshRequest): Promise<WithAccessToken | 'again' | { held: Connection }> => {
    const { companyKey } = request.seen
    const [owner, now] = [surroundings.nonce(), surroundings.now()]
    const until = now + timing().leaseMs
    const mayRetry = () => !limit.isPairAtRisk()
    const claimed = await connections.claim(companyKey, { owner, now, until, mayRetry }).catch((error: unknown) => {
      return { outcome: 'failed' as const, valid: withoutLease(error, request) }
    })
    if (claimed.outcome === 'failed') return claimed.valid
    if (claimed.outcome === 'gone') throw connectionNotFound()
    if (claimed.outcome === 'held') return { held: claimed.connection }
    return spend({ ...claimed, owner, until }, request)
  }

  const claim = async (request: RefreshRequest): Promise<WithAccessToken | 'again'> => {
    const acquired = await limit.run(request.startedAt + claimingMs(timing()), () => acquire(request))
    if (acquired === 'again' || !('held' in acquired)) return acquired
    const outcome = await awaitHolder(acquired.held, request)
    return outcome === 'free' ? 'again' : outcome
  }

  const claimUntilDone = async (request: RefreshRequest): Promise<WithAccessToken> => {
    while (mayClaim(request)) {
      const outcome = await claim(request)
      if (outcome !== 'again') return outcome
    }
    throw refreshInProgress(1)
  }

  /** A table or a holder that cannot be waited for costs a caller nothing while the old token can be used. */
  const despiteTrouble = (error: unknown, { seen, forced }: RefreshRequest): WithAccessToken => {
    const passing =
      error instanceof Problem && (error.code === 'storage_unavailable' || error.code === 'refresh_in_progress')
    const valid = passing && !forced ? stillValid(seen, nowSeconds()) : undefined
    if (valid) return valid
    throw error
  }

  /** The flight of another request of this isolate, where it brings what this one needs. */
  const joined = async (flight: Promise<WithAccessToken | undefined>, { seen, forced }: RefreshRequest) => {
    try {
      const result = await flight
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
  return async (seen: Connection, forced: boolean, keepAlive: KeepAlive): Promise<WithAccessToken> => {
    if (!seen.refreshToken) throw missingRefreshToken(seen.companyKey)
    const failure = await standingFailure(seen, nowSeconds(), forced)
    if (failure) return despiteFailure(seen, failure, forced, nowSeconds(), marginSeconds())
    settings.requireRefresh(seen.environment)
    const request = { seen, forced, startedAt: surroundings.now(), keepAlive }
    const key = `${forced ? 'forced' : 'needed'} ${seen.companyKey}`
    try {
      const flight = shared.join(key, seen.generation)
      const theirs = flight && (await joined(flight, request))
      // The caller may hang up; a token that was spent must be stored all the same.
      return theirs ?? (await shared.begin(key, seen.generation, keepAlive, () => claimUntilDone(request)))
    } catch (error) {
      return despiteTrouble(error, request)
    }
  }
}

export type Refresh = ReturnType<typeof refreshing>
