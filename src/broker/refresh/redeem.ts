import type { Connection, WithAccessToken } from '../connection.ts'
import { missingRefreshToken, refreshInProgress, storeIsBusy } from '../errors.ts'
import type { TokenError, TokenResult } from '../ports/intuit.ts'
import { jitter } from '../retry.ts'
import { mayRedeem, nowSeconds } from '../timing.ts'
import { decryptToken } from '../token-pair.ts'
import { findNewer, type RefreshAttempt, type RefreshToken, releaseLease, useNewer } from './attempt.ts'
import { findStandingFailure } from './circuit-breaker.ts'
import { recordFailure } from './record-failure.ts'
import { recoverParked } from './recover-parked.ts'
import { storeSuccessor } from './store-successor.ts'
import { refreshedByAnother, usableDespite } from './usable-token.ts'
import { createUseGuard } from './use-guard.ts'

const STORES_PAUSE_MS = 50

/** A record that makes the use of the token unnecessary, or the refresh token to use. */
type Prepared = { found: Connection } | { token: RefreshToken }

/**
 * Waits until another refresh of this isolate has stored its token pair. Throws `storage_unavailable` if that takes too
 * long.
 */
async function waitForStores({ deps, request, lease }: RefreshAttempt) {
  const { limit, runtime, timing } = deps
  while (limit.isPairAtRisk()) {
    if (!mayRedeem(timing(), runtime.now(), request.startedAt, lease.until)) throw storeIsBusy()
    await runtime.sleep(jitter(STORES_PAUSE_MS, runtime))
  }
}

/** A pair that the former holder of a lapsed lease parked, or stored just now. */
async function findAfterTakeover(attempt: RefreshAttempt, usedTokenHash: string) {
  if (!attempt.isTakeover) return undefined
  return (await recoverParked(attempt, usedTokenHash)) ?? findNewer(attempt)
}

/** Checks once more whether the token has to be used. */
async function prepare(attempt: RefreshAttempt): Promise<Prepared> {
  const { deps, request, connection } = attempt
  const { intuit, runtime, vault, marginSeconds } = deps
  const now = nowSeconds(runtime)
  const refreshed = refreshedByAnother(connection, request, now)
  if (refreshed) return { found: refreshed }
  const failure = await findStandingFailure(intuit, connection, now, request.forced)
  if (failure)
    return { found: usableDespite(connection, failure, request.forced, nowSeconds(runtime), marginSeconds()) }
  if (!connection.refreshToken) throw missingRefreshToken(connection.companyKey)
  const value = await decryptToken(vault, connection.companyKey, 'refresh_token', connection.refreshToken)
  const token = { value, hash: connection.refreshTokenHash ?? (await vault.digest(value)) }
  const found = await findAfterTakeover(attempt, token.hash)
  if (found) return { found }
  await waitForStores(attempt)
  return { token }
}

/** An `invalid_grant` counts only if the rejected token has no successor, in the table or in the rescue store. */
async function handleInvalidGrant(attempt: RefreshAttempt, { hash }: RefreshToken, error: TokenError) {
  const newer = await findNewer(attempt)
  if (newer) return useNewer(attempt, newer)
  const recovered = await recoverParked(attempt, hash).catch(() => 'unknown' as const)
  if (recovered && recovered !== 'unknown') return useNewer(attempt, recovered)
  // After a takeover, the former holder has one minute to store its pair.
  const mayStillStore = attempt.isTakeover && attempt.connection.failure?.reason !== 'unsettled'
  const isUnsettled = mayStillStore || recovered === 'unknown'
  return recordFailure(attempt, isUnsettled ? 'unsettled' : 'invalid_grant', error)
}

/** Stores the tokens that Intuit issued, or records why it issued none. */
function settle(attempt: RefreshAttempt, token: RefreshToken, result: TokenResult) {
  if (result.ok) return storeSuccessor(attempt, token, result)
  if (result.reason === 'invalid_grant') return handleInvalidGrant(attempt, token, result)
  return recordFailure(attempt, result.reason, result)
}

/** Stores what Intuit answers after the caller got its response. Never rejects. */
async function settleLate(attempt: RefreshAttempt, token: RefreshToken, late: Promise<TokenResult | undefined>) {
  const result = await late
  if (!result) return
  const code = result.ok ? 'granted' : result.reason
  const { companyKey } = attempt.connection
  attempt.deps.log({ event: 'late_response', company_key: companyKey, code, intuit_tid: result.intuitTid })
  // An error is on the record or in the log.
  await settle(attempt, token, result).catch(() => undefined)
}

/** The result if the lease was lost before the token was used: what the other holder stored. */
async function leaveToOthers(attempt: RefreshAttempt) {
  await releaseLease(attempt)
  const newer = await findNewer(attempt)
  if (newer) return useNewer(attempt, newer)
  throw refreshInProgress(1)
}

/** Uses the refresh token at Intuit. If Intuit does not answer in time, the lease stays until it may have answered. */
async function redeem(attempt: RefreshAttempt, token: RefreshToken): Promise<WithAccessToken | 'again'> {
  const { deps, request, connection, lease } = attempt
  const { companyKey, environment, generation } = connection
  const guard = createUseGuard(deps, { ...lease, companyKey, generation, startedAt: request.startedAt })
  const { answer, late } = await deps.intuit.refresh(environment, token.value, guard)
  if (guard.wasRefused()) return leaveToOthers(attempt)
  if (answer.ok || !late) return settle(attempt, token, answer)
  request.waitUntil(settleLate(attempt, token, late))
  return recordFailure(attempt, answer.reason, answer, true)
}

/**
 * Refreshes under an acquired lease. Returns a record whose access token is newer than the one that the caller saw, or
 * usable despite a failure. `again`: what was parked or stored by others has expired, so another refresh is needed.
 */
export async function refreshUnderLease(attempt: RefreshAttempt): Promise<WithAccessToken | 'again'> {
  const prepared = await prepare(attempt).catch(async (error: unknown) => {
    await releaseLease(attempt)
    throw error
  })
  if ('token' in prepared) return redeem(attempt, prepared.token)
  await releaseLease(attempt)
  return useNewer(attempt, prepared.found)
}
