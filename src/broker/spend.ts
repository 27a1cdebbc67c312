import { answeredFailure, createStandingFailure, nextFailure } from './breaker.ts'
import {
  type Connection,
  type EpochSeconds,
  type FailureReason,
  holdsAccessToken,
  holdsTokens,
  type WithAccessToken,
} from './connection.ts'
import { adoptable, despiteFailure, type RefreshRequest, stillValid } from './judgement.ts'
import { openToken, refreshedPair, sealedPair } from './pair.ts'
import { persisting } from './persist.ts'
import type {
  AuthorizationServer,
  Claimed,
  ConnectionStore,
  FlowSettings,
  Granted,
  IntuitAnswer,
  LeaseEnd,
  Log,
  Refused,
  Rescue,
  Surroundings,
  Vault,
} from './ports.ts'
import type { RefreshLimit } from './refresh-limit.ts'
import {
  connectionNotFound,
  missingRefreshToken,
  refreshInProgress,
  rescueUnavailable,
  storesComeFirst,
} from './refusals.ts'
import { jittered, retriedUntil } from './retry.ts'
import { failureCode } from './status.ts'
import { maySpend, storeDeadline, storingMs, type Timing } from './timing.ts'
import { createUseGuard } from './use-guard.ts'

const STORES_PAUSE_MS = 50

export interface SpendPorts {
  connections: ConnectionStore
  rescue: Rescue | undefined
  intuit: AuthorizationServer
  settings: Pick<FlowSettings, 'requireRefresh'>
  vault: Vault
  surroundings: Surroundings
  /** Settings are asked for when they are needed: a faulty one fails only what needs it. */
  timing(): Timing
  log: Log
  /** One for the isolate. */
  limit: RefreshLimit
  marginSeconds(): number
}

/** A lease in hand, and the record as it stood when it was claimed. */
export type Held = Extract<Claimed, { outcome: 'claimed' }> & { owner: string; until: number }

/** What a holder found: a record to answer with, or the refresh token to present. */
type Prepared = { found: Connection } | { found: undefined; presented: string; spentHash: string }

/** What the holder of the lease does: looks once more, spends the refresh token, stores its successor. */
export function spending(ports: SpendPorts) {
  const { connections, rescue, intuit, vault, surroundings, timing, log, limit, marginSeconds } = ports
  const persist = persisting(ports)
  const standingFailure = createStandingFailure(intuit)
  const nowSeconds = (): EpochSeconds => Math.floor(surroundings.now() / 1000)

  /** A lease that was taken over stays lapsed: whoever claims next must ask the rescue store, too. */
  const endOf = ({ tookOver }: Held): LeaseEnd => (tookOver ? { lapsedAt: surroundings.now() } : 'free')

  const giveBack = async (held: Held) => {
    // One that cannot be given back lapses by itself.
    await connections.release(held.connection.companyKey, held.owner, endOf(held)).catch(() => undefined)
  }

  /** The record as it stands, if somebody stored a pair after `spent`. */
  const newerThan = async (spent: Connection): Promise<Connection | undefined> => {
    const current = await connections.read(spent.companyKey, nowSeconds())
    if (!current) throw connectionNotFound()
    return current.generation > spent.generation ? current : undefined
  }

  /** The parked successor of the token in hand, stored. `undefined` where there is none. Throws where nobody can tell. */
  const recovered = async ({ connection: spent }: Held, spentHash: string): Promise<Connection | undefined> => {
    const parked = await rescue?.find(spent.companyKey, spentHash).catch(() => {
      throw rescueUnavailable()
    })
    if (!parked) return undefined
    const stored = await connections.replace(spent, parked, 'free')
    await rescue?.forget(spent.companyKey, spentHash).catch(() => undefined)
    if (stored) log({ event: 'pair_recovered', company_key: spent.companyKey })
    return stored ?? newerThan(spent)
  }

  /** A pair that another refresh of this isolate has yet to store comes first. */
  const letStoresPass = async ({ until }: Held, { startedAt }: RefreshRequest) => {
    while (limit.isPairAtRisk()) {
      if (!maySpend(timing(), surroundings.now(), startedAt, until)) throw storesComeFirst()
      await surroundings.sleep(jittered(STORES_PAUSE_MS, surroundings))
    }
  }

  const prepare = async (held: Held, request: RefreshRequest): Promise<Prepared> => {
    const { connection: current, tookOver } = held
    const theirs = adoptable(current, request, nowSeconds())
    if (theirs) return { found: theirs }
    const failure = await standingFailure(current, nowSeconds(), request.forced)
    if (failure) return { found: despiteFailure(current, failure, request.forced, nowSeconds(), marginSeconds()) }
    if (!current.refreshToken) throw missingRefreshToken(current.companyKey)
    const presented = await openToken(vault, current.companyKey, 'refresh_token', current.refreshToken)
    const spentHash = current.refreshTokenHash ?? (await vault.digest(presented))
    // A holder that slept past its lease may have parked, or just stored, what it got.
    const found = tookOver ? ((await recovered(held, spentHash)) ?? (await newerThan(current))) : undefined
    if (found) return { found }
    await letStoresPass(held, request)
    return { found: undefined, presented, spentHash }
  }

  /** Another writer was first: its tokens are newer, or have expired meanwhile, or there are none any more. */
  const yieldTo = (current: Connection | undefined): WithAccessToken | 'again' => {
    if (!current) throw connectionNotFound()
    const valid = stillValid(current, nowSeconds())
    if (valid) return valid
    if (!current.refreshToken) throw missingRefreshToken(current.companyKey)
    return 'again'
  }

  const remember = async (
    held: Held,
    reason: FailureReason,
    { intuitError, intuitTid, retryAfterSeconds }: Refused,
    request: RefreshRequest,
    isUnderWay = false,
  ) => {
    const { connection: spent, owner, until } = held
    const { companyKey, environment } = spent
    const client = await intuit.clientDigest(environment, companyKey)
    const attempt = { reason, intuitError, intuitTid, retryAfterSeconds, client }
    log({
      ...{ event: 'refresh_failed', company_key: companyKey },
      ...{ code: failureCode(reason), intuit_error: intuitError, intuit_tid: intuitTid },
    })
    const next = nextFailure(spent.failure, attempt, nowSeconds())
    const failure = isUnderWay ? { ...next, retryAt: Math.max(next.retryAt, Math.ceil(until / 1000)) } : next
    await connections.fail(spent, owner, failure, isUnderWay ? 'embargo' : endOf(held), reason).catch(() => undefined)
    const answered = answeredFailure(failure, attempt, nowSeconds())
    return despiteFailure(spent, answered, request.forced, nowSeconds(), marginSeconds())
  }

  /** Intuit's `invalid_grant` counts only if the token that it refused has no successor anywhere. */
  const invalidGrant = async (held: Held, spentHash: string, answer: Refused, request: RefreshRequest) => {
    const { connection: spent, tookOver } = held
    const newer = await newerThan(spent)
    if (newer) return yieldTo(newer)
    const found = await recovered(held, spentHash).catch(() => 'nobody can tell' as const)
    if (found && found !== 'nobody can tell') return yieldTo(found)
    // The former holder has a minute to come home, once.
    const mayComeHome = tookOver && spent.failure?.reason !== 'unsettled'
    return remember(held, mayComeHome || found ? 'unsettled' : 'invalid_grant', answer, request)
  }

  const keep = async (held: Held, presented: string, spentHash: string, answer: Granted, request: RefreshRequest) => {
    const { connection: spent, owner } = held
    const deadline = storeDeadline(timing(), surroundings.now(), request.startedAt)
    const pair = refreshedPair(answer.pair, presented, spent)
    /** The record that took another way. One that was disconnected meanwhile, by somebody who could not know of this pair, revokes it. */
    const lookHome = async () => {
      const current = await connections.read(spent.companyKey, nowSeconds())
      if (current && !holdsTokens(current)) {
        request.keepAlive(intuit.revoke(spent.environment, pair.refreshToken))
      }
      return current
    }
    /** What cannot be looked at now is looked at behind the answer. */
    const comeHome = () =>
      lookHome().catch((error: unknown) => {
        const inTime = surroundings.now() < deadline
        const looked = inTime ? retriedUntil(lookHome, deadline, surroundings) : Promise.resolve(undefined)
        request.keepAlive(
          looked.then((found) => found ?? log({ event: 'pair_not_settled', company_key: spent.companyKey })),
        )
        throw error
      })
    const stored = await persist({
      spent,
      spentHash,
      successor: {
        pair: await sealedPair(vault, spent.companyKey, pair),
        rotated: pair.refreshToken !== presented,
        now: nowSeconds(),
        writer: owner,
      },
      leaseEnd: endOf(held),
      deadline,
      patienceMs: storingMs(timing()),
      keepAlive: request.keepAlive,
      onRefusedLate: () => comeHome().catch(() => undefined),
    })
    if (stored && holdsAccessToken(stored)) return stored
    return yieldTo(await comeHome())
  }

  const settle = (held: Held, presented: string, spentHash: string, answer: IntuitAnswer, request: RefreshRequest) => {
    if (answer.ok) return keep(held, presented, spentHash, answer, request)
    if (answer.refusal === 'invalid_grant') return invalidGrant(held, spentHash, answer, request)
    return remember(held, answer.refusal, answer, request)
  }

  /** The lease is over, or somebody else's: what they stored is the answer. */
  const leaveToOthers = async (held: Held) => {
    await giveBack(held)
    const newer = await newerThan(held.connection)
    if (newer) return yieldTo(newer)
    throw refreshInProgress(1)
  }

  const spend = async (held: Held, presented: string, spentHash: string, request: RefreshRequest) => {
    const { companyKey, environment, generation } = held.connection
    const guard = createUseGuard(ports, { ...held, companyKey, generation, startedAt: request.startedAt })
    const { answer, late } = await intuit.refresh(environment, presented, guard)
    if (guard.wasRefused()) return leaveToOthers(held)
    if (answer.ok || !late) return settle(held, presented, spentHash, answer, request)
    // Intuit may still answer. The lease stays until then, and nobody uses the token beside this request.
    const settleLate = async () => {
      const lateAnswer = await late
      if (!lateAnswer) return
      const code = lateAnswer.ok ? 'granted' : lateAnswer.refusal
      log({ event: 'late_answer', company_key: companyKey, code, intuit_tid: lateAnswer.intuitTid })
      // The caller was answered before: what is wrong is on the record, or in the log.
      await settle(held, presented, spentHash, lateAnswer, request).catch(() => undefined)
    }
    request.keepAlive(settleLate())
    return remember(held, answer.refusal, answer, request, true)
  }

  /**
   * Resolves to a record whose access token is newer than the one that the caller saw, or does despite a failure;
   * to `again` where another refresh is needed, as what was parked or stored by others has expired.
   */
  return async (held: Held, request: RefreshRequest): Promise<WithAccessToken | 'again'> => {
    let prepared: Prepared
    try {
      prepared = await prepare(held, request)
    } catch (error) {
      await giveBack(held)
      throw error
    }
    if (!prepared.found) return spend(held, prepared.presented, prepared.spentHash, request)
    await giveBack(held)
    return yieldTo(prepared.found)
  }
}
