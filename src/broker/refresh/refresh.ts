import { Problem } from '../../problem.ts'
import type { Connection, WithAccessToken } from '../connection.ts'
import { connectionNotFound, missingRefreshToken, refreshInProgress } from '../errors.ts'
import type { WaitUntil } from '../ports/runtime.ts'
import { createSingleFlight } from '../single-flight.ts'
import { acquisitionMs, nowSeconds } from '../timing.ts'
import type { RefreshDeps } from './attempt.ts'
import { awaitLease } from './await-lease.ts'
import { findStandingFailure } from './circuit-breaker.ts'
import { refreshUnderLease } from './redeem.ts'
import { ifValid, type RefreshRequest, usableDespite } from './usable-token.ts'

/**
 * The token that the caller saw, if the lease could not be acquired: nothing was used yet. The cause does not matter. It
 * may be throttling, a new error of DynamoDB, a wrong clock or a missing permission to write. Throws `error` if that
 * token is not valid or the refresh is forced.
 */
function usableWithoutLease({ runtime }: RefreshDeps, error: unknown, { seen, forced }: RefreshRequest) {
  const valid = forced ? undefined : ifValid(seen, nowSeconds(runtime))
  if (valid) return valid
  throw error
}

/** Acquires the lease and refreshes. `heldBy`: the record if another holder has the lease. */
async function acquireAndRefresh(
  deps: RefreshDeps,
  request: RefreshRequest,
): Promise<WithAccessToken | 'again' | { heldBy: Connection }> {
  const { connections, runtime, timing, limit } = deps
  const { companyKey } = request.seen
  const now = runtime.now()
  const lease = { owner: runtime.nonce(), until: now + timing().leaseMs }
  const mayRetry = () => !limit.isPairAtRisk()
  const acquisition = await connections
    .acquireLease(companyKey, { ...lease, now, mayRetry })
    .catch((error: unknown) => ({ outcome: 'failed' as const, usable: usableWithoutLease(deps, error, request) }))
  switch (acquisition.outcome) {
    case 'failed':
      return acquisition.usable
    case 'not_found':
      throw connectionNotFound()
    case 'held':
      return { heldBy: acquisition.connection }
    case 'acquired': {
      const { connection, isTakeover } = acquisition
      return refreshUnderLease({ deps, request, connection, lease, isTakeover })
    }
  }
}

/** Refreshes, or waits for the holder of the lease. `again`: the lease is free, and no token was found. */
async function refreshOrWait(deps: RefreshDeps, request: RefreshRequest): Promise<WithAccessToken | 'again'> {
  const giveUpAt = request.startedAt + acquisitionMs(deps.timing())
  const outcome = await deps.limit.run(giveUpAt, () => acquireAndRefresh(deps, request))
  if (outcome === 'again' || !('heldBy' in outcome)) return outcome
  const result = await awaitLease(deps, outcome.heldBy, request)
  return result === 'free' ? 'again' : result
}

/** Repeats while the request may still acquire a lease. Throws `refresh_in_progress` after that. */
async function refreshUntilDone(deps: RefreshDeps, request: RefreshRequest): Promise<WithAccessToken> {
  while (deps.runtime.now() - request.startedAt <= acquisitionMs(deps.timing())) {
    const outcome = await refreshOrWait(deps, request)
    if (outcome !== 'again') return outcome
  }
  throw refreshInProgress(1)
}

/**
 * The token that the caller saw, if it is valid and the table or the holder of the lease does not respond. Else throws
 * `error`.
 */
function usableDespiteError({ runtime }: RefreshDeps, error: unknown, { seen, forced }: RefreshRequest) {
  const isTransient =
    error instanceof Problem && (error.code === 'storage_unavailable' || error.code === 'refresh_in_progress')
  const valid = isTransient && !forced ? ifValid(seen, nowSeconds(runtime)) : undefined
  if (valid) return valid
  throw error
}

/** The result of another request of this isolate, if it is what this request needs. */
async function findSharedResult(call: Promise<WithAccessToken | undefined>, { seen, forced }: RefreshRequest) {
  try {
    const result = await call
    return result && (!forced || result.generation > seen.generation) ? result : undefined
  } catch (error) {
    if (error instanceof Problem) throw error
    // The request that owned the call was cancelled.
    return undefined
  }
}

/** Refreshes stored token pairs: acquire the lease, redeem, store on condition of the used token, then respond. */
export function createRefresh(deps: RefreshDeps) {
  const { intuit, settings, runtime, timing, marginSeconds } = deps
  const shared = createSingleFlight<WithAccessToken>({ runtime, timing })

  /**
   * Returns a record with a fresh access token, from this request's refresh or from another one. Throws
   * `missing_refresh_token`, `reconnect_required`, `intuit_rejected_client`, `intuit_unavailable`,
   * `refresh_in_progress`, `sealed_token_unreadable` or `storage_unavailable`.
   */
  return async (seen: Connection, forced: boolean, waitUntil: WaitUntil): Promise<WithAccessToken> => {
    if (!seen.refreshToken) throw missingRefreshToken(seen.companyKey)
    const failure = await findStandingFailure(intuit, seen, nowSeconds(runtime), forced)
    if (failure) return usableDespite(seen, failure, forced, nowSeconds(runtime), marginSeconds())
    settings.requireRefresh(seen.environment)
    const request = { seen, forced, startedAt: runtime.now(), waitUntil }
    const key = `${forced ? 'forced' : 'needed'} ${seen.companyKey}`
    try {
      const call = shared.join(key, seen.generation)
      const result = call && (await findSharedResult(call, request))
      // The caller may disconnect. A used token must be stored all the same.
      return result ?? (await shared.begin(key, seen.generation, waitUntil, () => refreshUntilDone(deps, request)))
    } catch (error) {
      return usableDespiteError(deps, error, request)
    }
  }
}

export type Refresh = ReturnType<typeof createRefresh>
