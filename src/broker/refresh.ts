import { nextFailure, standingFailure } from './breaker.ts'
import {
  type Connection,
  type EpochMs,
  type EpochSeconds,
  type Failure,
  isFresh,
  type WithAccessToken,
} from './connection.ts'
import { sealedPair } from './pair.ts'
import { persisting } from './persist.ts'
import type {
  AuthorizationServer,
  Claimed,
  ConnectionStore,
  KeepAlive,
  Log,
  Refused,
  Surroundings,
  Vault,
} from './ports.ts'
import { connectionNotFound, failedRefresh, missingRefreshToken, refreshInProgress } from './refusals.ts'

/** Our own deadline of 25 s, and clocks that are 10 s off on both sides. */
const LEASE_MS = 45_000
/** Workers end 30 s after the caller left: claim, spend and store fit into this. */
const DEADLINE_MS = 25_000
const CLAIM_WITHIN_MS = 3_000
/** What must be left of the lease when the token is spent: Intuit's 15 s and a clock that is 10 s off. */
const SPEND_NEEDS_MS = 25_000
/** A caller waits this long for somebody else's refresh. */
const WAIT_MS = 10_000
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 250

export interface RefreshPorts {
  connections: ConnectionStore
  intuit: AuthorizationServer
  vault: Vault
  surroundings: Surroundings
  log: Log
  marginSeconds(): number
}

interface Request {
  /** The record as this caller read it: whatever has a higher generation was refreshed for it too. */
  seen: Connection
  forced: boolean
  startedAt: EpochMs
  keepAlive: KeepAlive
}

type Held = Extract<Claimed, { outcome: 'claimed' }> & { owner: string; until: EpochMs }

/** Renewal of a stored pair: claim, spend, store on condition of the token that was spent, and only then answer. */
export const refreshing = (ports: RefreshPorts) => {
  const { connections, intuit, vault, surroundings, marginSeconds } = ports
  const persist = persisting(ports)
  const nowSeconds = (): EpochSeconds => Math.floor(surroundings.now() / 1000)
  const stillValid = (connection: Connection): WithAccessToken | undefined =>
    isFresh(connection, nowSeconds(), 0) ? connection : undefined

  /** A later generation than the caller saw: somebody refreshed meanwhile. */
  const adoptable = (current: Connection, { seen }: Request) =>
    current.generation > seen.generation ? stillValid(current) : undefined

  /** A failed refresh costs a caller nothing while the old token can be used; it matters to who forced it, or is in the margin of a dead one. */
  const despiteFailure = (current: Connection, failure: Failure, forced: boolean): WithAccessToken => {
    const now = nowSeconds()
    const passing = failure.reason === 'unavailable' || failure.reason === 'unsettled'
    if (!forced && isFresh(current, now, passing ? 0 : marginSeconds())) return current
    throw failedRefresh(current.companyKey, failure, now)
  }

  const giveBack = async ({ connection, owner }: Held) => {
    // A lease that cannot be given back lapses by itself.
    await connections.release(connection.companyKey, owner).catch(() => undefined)
  }

  /** Intuit's no counts only if the token that it refused is still the stored one. */
  const refused = async (held: Held, { refusal, intuitTid }: Refused, request: Request): Promise<WithAccessToken> => {
    const { connection: spent, owner, tookOver } = held
    const reason = refusal === 'invalid_grant' && tookOver ? 'unsettled' : refusal
    const failure = nextFailure(spent.failure, reason, intuitTid, nowSeconds())
    await connections.fail(spent, owner, failure)
    const current = await connections.read(spent.companyKey, nowSeconds())
    if (!current) throw connectionNotFound()
    return adoptable(current, request) ?? despiteFailure(current, failure, request.forced)
  }

  const spend = async (held: Held, request: Request): Promise<WithAccessToken> => {
    const { connection: spent, owner } = held
    if (!spent.refreshToken) throw missingRefreshToken(spent.companyKey)
    const presented = await vault.open(spent.companyKey, 'refresh_token', spent.refreshToken)
    const answer = await intuit.refresh(spent.environment, presented)
    if (!answer.ok) return refused(held, answer, request)
    const successor = {
      pair: await sealedPair(vault, spent.companyKey, answer.pair),
      rotated: answer.pair.refreshToken !== presented,
      now: nowSeconds(),
      writer: owner,
    }
    const stored = await persist(spent, successor, request.startedAt + DEADLINE_MS, request.keepAlive)
    const current = stored ?? (await connections.read(spent.companyKey, nowSeconds()))
    const valid = current && stillValid(current)
    if (valid) return valid
    throw current ? missingRefreshToken(current.companyKey) : connectionNotFound()
  }

  /** With the lease in hand: looks once more at what the claim returned, then spends. */
  const hold = async (held: Held, request: Request): Promise<WithAccessToken> => {
    const { connection: current, until } = held
    const theirs = adoptable(current, request)
    const failure = standingFailure(current, nowSeconds(), request.forced)
    const late = until - surroundings.now() < SPEND_NEEDS_MS
    if (theirs || failure || late || !current.refreshToken) await giveBack(held)
    if (theirs) return theirs
    if (failure) return despiteFailure(current, failure, request.forced)
    if (late) throw refreshInProgress(1)
    return spend(held, request)
  }

  /** Somebody else holds the lease: their result, their failure, or `undefined` once the lease is free. */
  const outcomeOf = (current: Connection, request: Request): WithAccessToken | 'held' | 'free' => {
    const theirs = adoptable(current, request)
    if (theirs) return theirs
    if (current.lease && current.lease.until >= surroundings.now()) return 'held'
    const failure = standingFailure(current, nowSeconds(), request.forced)
    return failure ? despiteFailure(current, failure, request.forced) : 'free'
  }

  const awaitOther = async (held: Connection, request: Request): Promise<WithAccessToken | 'free'> => {
    const giveUpAt = request.startedAt + WAIT_MS
    let current = held
    for (let pause = FIRST_PAUSE_MS; surroundings.now() < giveUpAt; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const outcome = outcomeOf(current, request)
      const tooLateToClaim = surroundings.now() - request.startedAt > CLAIM_WITHIN_MS
      if (outcome !== 'held' && !(outcome === 'free' && tooLateToClaim)) return outcome
      await surroundings.sleep(pause * (0.5 + surroundings.random() / 2))
      const read = await connections.read(request.seen.companyKey, nowSeconds())
      if (!read) throw connectionNotFound()
      current = read
    }
    const valid = request.forced ? undefined : stillValid(current)
    if (valid) return valid
    throw refreshInProgress(2)
  }

  const claimAndRefresh = async (request: Request): Promise<WithAccessToken> => {
    const { companyKey } = request.seen
    for (;;) {
      const owner = surroundings.nonce()
      const now = surroundings.now()
      const until = now + LEASE_MS
      const claimed = await connections.claim(companyKey, { owner, now, until })
      if (claimed.outcome === 'gone') throw connectionNotFound()
      if (claimed.outcome === 'claimed') return hold({ ...claimed, owner, until }, request)
      const outcome = await awaitOther(claimed.connection, request)
      if (outcome !== 'free') return outcome
    }
  }

  /**
   * A connection whose access token is fresh, by this caller's refresh or by somebody else's. Throws
   * `missing_refresh_token`, `reconnect_required`, `intuit_rejected_client`, `intuit_unavailable`,
   * `refresh_in_progress` or `storage_unavailable`.
   */
  return async (seen: Connection, forced: boolean, keepAlive: KeepAlive): Promise<WithAccessToken> => {
    if (!seen.refreshToken) throw missingRefreshToken(seen.companyKey)
    const failure = standingFailure(seen, nowSeconds(), forced)
    if (failure) return despiteFailure(seen, failure, forced)
    intuit.requireClient(seen.environment)
    // The caller may hang up; a token that was spent must be stored all the same.
    const refreshed = claimAndRefresh({ seen, forced, startedAt: surroundings.now(), keepAlive })
    keepAlive(refreshed.catch(() => undefined))
    return refreshed
  }
}

export type Refresh = ReturnType<typeof refreshing>
