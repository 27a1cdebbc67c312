import {
  type Connection,
  type EpochSeconds,
  type FailureReason,
  holdsAccessToken,
  holdsTokens,
  type WithAccessToken,
} from '../connection.ts'
import { failureCode } from '../connection-status.ts'
import {
  connectionNotFound,
  missingRefreshToken,
  refreshInProgress,
  rescueUnavailable,
  storesComeFirst,
} from '../errors.ts'
import type { Vault } from '../ports/crypto.ts'
import type { AuthorizationServer, TokenError, TokenResponse, TokenResult } from '../ports/intuit.ts'
import type { FlowSettings, Log, Runtime } from '../ports/runtime.ts'
import type { Claimed, ConnectionStore, LeaseEnd, Rescue } from '../ports/storage.ts'
import { jitter, retryUntil } from '../retry.ts'
import { mayRedeem, storeDeadline, storingMs, type Timing } from '../timing.ts'
import { encryptTokenPair, openToken, refreshedPair } from '../token-pair.ts'
import { answeredFailure, createStandingFailure, nextFailure } from './circuit-breaker.ts'
import type { RefreshLimit } from './concurrency-limit.ts'
import { createStoreTokenPair } from './store-pair.ts'
import { ifValid, type RefreshRequest, refreshedByAnother, usableDespite } from './usable-token.ts'
import { createUseGuard } from './use-guard.ts'

const STORES_PAUSE_MS = 50

export interface RedeemDeps {
  connections: ConnectionStore
  rescue: Rescue | undefined
  intuit: AuthorizationServer
  settings: Pick<FlowSettings, 'requireRefresh'>
  vault: Vault
  runtime: Runtime
  /** Settings are asked for when they are needed: a faulty one fails only what needs it. */
  timing(): Timing
  log: Log
  /** One for the isolate. */
  limit: RefreshLimit
  marginSeconds(): number
}

/** A lease in hand, and the record as it stood when it was claimed. */
export type LeaseHeld = Extract<Claimed, { outcome: 'claimed' }> & { owner: string; until: number }

/** What a holder found: a record to answer with, or the refresh token to present. */
type Prepared = { found: Connection } | { found: undefined; presented: string; usedTokenHash: string }

/** What the holder of the lease does: looks once more, spends the refresh token, stores its successor. */
export function createRedeem(deps: RedeemDeps) {
  const { connections, rescue, intuit, vault, runtime, timing, log, limit, marginSeconds } = deps
  const storeTokenPair = createStoreTokenPair(deps)
  const standingFailure = createStandingFailure(intuit)
  const nowSeconds = (): EpochSeconds => Math.floor(runtime.now() / 1000)

  /** A lease that was taken over stays lapsed: whoever claims next must ask the rescue store, too. */
  const toLeaseEnd = ({ isTakeover }: LeaseHeld): LeaseEnd => (isTakeover ? { lapsedAt: runtime.now() } : 'free')

  const releaseLease = async (held: LeaseHeld) => {
    // One that cannot be given back lapses by itself.
    await connections.release(held.connection.companyKey, held.owner, toLeaseEnd(held)).catch(() => undefined)
  }

  /** The record as it stands, if somebody stored a pair after `spent`. */
  const newerThan = async (used: Connection): Promise<Connection | undefined> => {
    const current = await connections.read(used.companyKey, nowSeconds())
    if (!current) throw connectionNotFound()
    return current.generation > used.generation ? current : undefined
  }

  /** The parked successor of the token in hand, stored. `undefined` where there is none. Throws where nobody can tell. */
  const recovered = async ({ connection: used }: LeaseHeld, usedTokenHash: string): Promise<Connection | undefined> => {
    const parked = await rescue?.find(used.companyKey, usedTokenHash).catch(() => {
      throw rescueUnavailable()
    })
    if (!parked) return undefined
    const stored = await connections.replace(used, parked, 'free')
    await rescue?.remove(used.companyKey, usedTokenHash).catch(() => undefined)
    if (stored) log({ event: 'pair_recovered', company_key: used.companyKey })
    return stored ?? newerThan(used)
  }

  /** A pair that another refresh of this isolate has yet to store comes first. */
  const letStoresPass = async ({ until }: LeaseHeld, { startedAt }: RefreshRequest) => {
    while (limit.isPairAtRisk()) {
      if (!mayRedeem(timing(), runtime.now(), startedAt, until)) throw storesComeFirst()
      await runtime.sleep(jitter(STORES_PAUSE_MS, runtime))
    }
  }

  const prepare = async (held: LeaseHeld, request: RefreshRequest): Promise<Prepared> => {
    const { connection: current, isTakeover } = held
    const theirs = refreshedByAnother(current, request, nowSeconds())
    if (theirs) return { found: theirs }
    const failure = await standingFailure(current, nowSeconds(), request.forced)
    if (failure) return { found: usableDespite(current, failure, request.forced, nowSeconds(), marginSeconds()) }
    if (!current.refreshToken) throw missingRefreshToken(current.companyKey)
    const presented = await openToken(vault, current.companyKey, 'refresh_token', current.refreshToken)
    const usedTokenHash = current.refreshTokenHash ?? (await vault.digest(presented))
    // A holder that slept past its lease may have parked, or just stored, what it got.
    const found = isTakeover ? ((await recovered(held, usedTokenHash)) ?? (await newerThan(current))) : undefined
    if (found) return { found }
    await letStoresPass(held, request)
    return { found: undefined, presented, usedTokenHash }
  }

  /** Another writer was first: its tokens are newer, or have expired meanwhile, or there are none any more. */
  const useNewer = (current: Connection | undefined): WithAccessToken | 'again' => {
    if (!current) throw connectionNotFound()
    const valid = ifValid(current, nowSeconds())
    if (valid) return valid
    if (!current.refreshToken) throw missingRefreshToken(current.companyKey)
    return 'again'
  }

  const remember = async (
    held: LeaseHeld,
    reason: FailureReason,
    { intuitError, intuitTid, retryAfterSeconds }: TokenError,
    request: RefreshRequest,
    isUnderWay = false,
  ) => {
    const { connection: used, owner, until } = held
    const { companyKey, environment } = used
    const client = await intuit.clientDigest(environment, companyKey)
    const attempt = { reason, intuitError, intuitTid, retryAfterSeconds, client }
    log({
      ...{ event: 'refresh_failed', company_key: companyKey },
      ...{ code: failureCode(reason), intuit_error: intuitError, intuit_tid: intuitTid },
    })
    const next = nextFailure(used.failure, attempt, nowSeconds())
    const failure = isUnderWay ? { ...next, retryAt: Math.max(next.retryAt, Math.ceil(until / 1000)) } : next
    await connections
      .fail(used, owner, failure, isUnderWay ? 'embargo' : toLeaseEnd(held), reason)
      .catch(() => undefined)
    const answered = answeredFailure(failure, attempt, nowSeconds())
    return usableDespite(used, answered, request.forced, nowSeconds(), marginSeconds())
  }

  /** Intuit's `invalid_grant` counts only if the token that it refused has no successor anywhere. */
  const invalidGrant = async (held: LeaseHeld, usedTokenHash: string, answer: TokenError, request: RefreshRequest) => {
    const { connection: used, isTakeover } = held
    const newer = await newerThan(used)
    if (newer) return useNewer(newer)
    const found = await recovered(held, usedTokenHash).catch(() => 'nobody can tell' as const)
    if (found && found !== 'nobody can tell') return useNewer(found)
    // The former holder has a minute to come home, once.
    const mayStillStore = isTakeover && used.failure?.reason !== 'unsettled'
    return remember(held, mayStillStore || found ? 'unsettled' : 'invalid_grant', answer, request)
  }

  const keep = async (
    held: LeaseHeld,
    presented: string,
    usedTokenHash: string,
    answer: TokenResponse,
    request: RefreshRequest,
  ) => {
    const { connection: used, owner } = held
    const deadline = storeDeadline(timing(), runtime.now(), request.startedAt)
    const pair = refreshedPair(answer.pair, presented, used)
    /** The record that took another way. One that was disconnected meanwhile, by somebody who could not know of this pair, revokes it. */
    const readCurrent = async () => {
      const current = await connections.read(used.companyKey, nowSeconds())
      if (current && !holdsTokens(current)) {
        request.waitUntil(intuit.revoke(used.environment, pair.refreshToken))
      }
      return current
    }
    /** What cannot be looked at now is looked at behind the answer. */
    const settleRefusedPair = () =>
      readCurrent().catch((error: unknown) => {
        const inTime = runtime.now() < deadline
        const looked = inTime ? retryUntil(readCurrent, deadline, runtime) : Promise.resolve(undefined)
        request.waitUntil(
          looked.then((found) => found ?? log({ event: 'pair_not_settled', company_key: used.companyKey })),
        )
        throw error
      })
    const stored = await storeTokenPair({
      used,
      usedTokenHash,
      successor: {
        pair: await encryptTokenPair(vault, used.companyKey, pair),
        rotated: pair.refreshToken !== presented,
        now: nowSeconds(),
        writer: owner,
      },
      leaseEnd: toLeaseEnd(held),
      deadline,
      patienceMs: storingMs(timing()),
      waitUntil: request.waitUntil,
      onRefusedLate: () => settleRefusedPair().catch(() => undefined),
    })
    if (stored && holdsAccessToken(stored)) return stored
    return useNewer(await settleRefusedPair())
  }

  const settle = (
    held: LeaseHeld,
    presented: string,
    usedTokenHash: string,
    answer: TokenResult,
    request: RefreshRequest,
  ) => {
    if (answer.ok) return keep(held, presented, usedTokenHash, answer, request)
    if (answer.reason === 'invalid_grant') return invalidGrant(held, usedTokenHash, answer, request)
    return remember(held, answer.reason, answer, request)
  }

  /** The lease is over, or somebody else's: what they stored is the answer. */
  const leaveToOthers = async (held: LeaseHeld) => {
    await releaseLease(held)
    const newer = await newerThan(held.connection)
    if (newer) return useNewer(newer)
    throw refreshInProgress(1)
  }

  const redeem = async (held: LeaseHeld, presented: string, usedTokenHash: string, request: RefreshRequest) => {
    const { companyKey, environment, generation } = held.connection
    const guard = createUseGuard(deps, { ...held, companyKey, generation, startedAt: request.startedAt })
    const { answer, late } = await intuit.refresh(environment, presented, guard)
    if (guard.wasRefused()) return leaveToOthers(held)
    if (answer.ok || !late) return settle(held, presented, usedTokenHash, answer, request)
    // Intuit may still answer. The lease stays until then, and nobody uses the token beside this request.
    const settleLate = async () => {
      const lateAnswer = await late
      if (!lateAnswer) return
      const code = lateAnswer.ok ? 'granted' : lateAnswer.reason
      log({ event: 'late_response', company_key: companyKey, code, intuit_tid: lateAnswer.intuitTid })
      // The caller was answered before: what is wrong is on the record, or in the log.
      await settle(held, presented, usedTokenHash, lateAnswer, request).catch(() => undefined)
    }
    request.waitUntil(settleLate())
    return remember(held, answer.reason, answer, request, true)
  }

  /**
   * Resolves to a record whose access token is newer than the one that the caller saw, or does despite a failure;
   * to `again` where another refresh is needed, as what was parked or stored by others has expired.
   */
  return async (held: LeaseHeld, request: RefreshRequest): Promise<WithAccessToken | 'again'> => {
    let prepared: Prepared
    try {
      prepared = await prepare(held, request)
    } catch (error) {
      await releaseLease(held)
      throw error
    }
    if (!prepared.found) return redeem(held, prepared.presented, prepared.usedTokenHash, request)
    await releaseLease(held)
    return useNewer(prepared.found)
  }
}
