import { Problem } from '../../problem.ts'
import {
  type Connection,
  type EpochSeconds,
  type HandedOut,
  isFresh,
  type UsableToken,
  type WithAccessToken,
} from '../connection.ts'
import { connectionNotFound, generationMismatch } from '../errors.ts'
import type { WaitUntil } from '../ports/runtime.ts'
import type { CallerLocation } from '../ports/storage.ts'
import { createStandingFailure } from '../refresh/circuit-breaker.ts'
import type { RedeemDeps } from '../refresh/redeem.ts'
import { createRefresh } from '../refresh/refresh.ts'
import { createSingleFlight } from '../single-flight.ts'
import { usableToken } from '../token-pair.ts'
import type { ReplicaReads } from './replica-reads.ts'
import type { TokenCache } from './token-cache.ts'

/** A token is not refreshed for its age while it is younger, whatever is asked for: another would live no longer. */
const YOUNG_SECONDS = 60

export interface GetTokenDeps extends RedeemDeps {
  tokenCache: TokenCache
  /** Absent where the table has no replicas. */
  replicaReads: ReplicaReads | undefined
}

/** What a caller asks of a token. */
export interface Wanted {
  /** How long it has to live at least, beyond the margin. */
  minTtlSeconds: number
  /** Whether the table has to be asked, whatever is remembered. */
  fromTable: boolean
  /** Where the caller is, for a replica near by. Absent: the home region is asked. */
  from?: (() => CallerLocation) | undefined
}

/** What a refresh for which nobody asked came to. `out of reach`: for a reason that other connections would meet, too. */
export type IdleRefresh = 'refreshed' | 'not due' | 'failed' | 'out of reach'

/** Problems of one connection alone. */
const OF_THE_CONNECTION = new Set<string>([
  'reconnect_required',
  'missing_refresh_token',
  'connection_not_found',
  'sealed_token_unreadable',
  'refresh_in_progress',
])

/** Where a token came from: the memory of the isolate, a replica near by, the table at home, or Intuit just now. */
export type Source = 'memory' | 'replica' | 'table' | 'intuit'

/** A token for a caller: the stored one while it does, else a new one. */
export function createGetToken(deps: GetTokenDeps) {
  const { connections, vault, runtime, timing, log, tokenCache, replicaReads, marginSeconds } = deps
  const refresh = createRefresh(deps)
  const standingFailure = createStandingFailure(deps.intuit)
  const reads = createSingleFlight<Connection | undefined>({ runtime, timing })
  const nowSeconds = () => Math.floor(runtime.now() / 1000)

  const stored = async (companyKey: string, reading: Promise<Connection | undefined>): Promise<Connection> => {
    const found = await reading
    if (!found) throw connectionNotFound()
    if (!isFresh(found, nowSeconds(), 0)) tokenCache.invalidate(companyKey, found.generation)
    return found
  }

  /** Callers who miss the memory together share one read: it began after the last thing that any of them can know. */
  const readOnce = async (companyKey: string, waitUntil: WaitUntil): Promise<Connection | undefined> => {
    const begin = () => reads.begin(companyKey, 0, waitUntil, () => connections.read(companyKey, nowSeconds()))
    const theirs = reads.join(companyKey, 0)
    return theirs === undefined ? begin() : ((await theirs.catch(() => undefined)) ?? begin())
  }

  const toUsableToken = async (connection: WithAccessToken): Promise<UsableToken> => {
    const token = await usableToken(vault, connection)
    tokenCache.set(token)
    return token
  }

  const refreshInBackground = (seen: Connection, waitUntil: WaitUntil) => {
    const renewed = refresh(seen, false, waitUntil).then(toUsableToken)
    const logged = renewed.catch((error: unknown) => {
      const code = error instanceof Problem ? error.code : 'internal_error'
      log({ event: 'background_refresh_failed', company_key: seen.companyKey, code })
    })
    waitUntil(logged)
  }

  /** Both ways, so that a time which a wrong clock wrote keeps nothing young for long. */
  const isYoung = ({ lastRefreshAt }: Pick<Connection, 'lastRefreshAt'>) =>
    lastRefreshAt !== undefined && Math.abs(nowSeconds() - lastRefreshAt) < YOUNG_SECONDS

  const isLongEnough = (handedOut: HandedOut, minTtlSeconds: number, marginSeconds: number) => {
    const leftSeconds = handedOut.accessTokenExpiresAt - nowSeconds()
    return leftSeconds > 0 && (isYoung(handedOut) || leftSeconds > Math.max(minTtlSeconds, marginSeconds))
  }

  const nearsMargin = ({ accessTokenExpiresAt }: HandedOut) =>
    accessTokenExpiresAt - nowSeconds() <= 2 * marginSeconds()

  /** Whether to renew a token that is handed out: it nears the margin, and nobody is at it. */
  const isDueForBackgroundRefresh = (connection: WithAccessToken) => {
    const isUnderWay = connection.lease !== undefined && connection.lease.until >= runtime.now()
    return nearsMargin(connection) && connection.refreshToken !== undefined && !isUnderWay && !isYoung(connection)
  }

  /** What is remembered, unless it should be renewed soon: that is the table's to judge. */
  const cachedToken = (companyKey: string, minTtlSeconds: number): UsableToken | undefined => {
    const known = tokenCache.get(companyKey)
    return known && isLongEnough(known.connection, minTtlSeconds, 2 * marginSeconds()) ? known : undefined
  }

  /** What a replica holds, if it needs no judgement: all else, the end of a connection included, is told at home. */
  const readReplica = async (companyKey: string, { minTtlSeconds, fromTable, from }: Wanted, waitUntil: WaitUntil) => {
    if (!replicaReads || !from || fromTable) return undefined
    const found = await replicaReads.read(companyKey, from(), waitUntil)
    if (!found || !isFresh(found, nowSeconds(), 0)) return undefined
    if (!isLongEnough(found, minTtlSeconds, 2 * marginSeconds())) return undefined
    // It may be sealed with a key that is gone since.
    return toUsableToken(found).catch(() => undefined)
  }

  /**
   * A token that is valid for longer than the margin and than `minTtlSeconds`, or one that is younger than a minute: the
   * remembered one, the stored one, or a new one. In the band before the margin the stored one is answered
   * at once and renewed behind the answer, so that callers in steady use never wait for Intuit.
   */
  const freshToken = async (
    companyKey: string,
    wanted: Wanted,
    waitUntil: WaitUntil,
  ): Promise<{ token: UsableToken; source: Source }> => {
    const { minTtlSeconds, fromTable } = wanted
    const known = fromTable ? undefined : cachedToken(companyKey, minTtlSeconds)
    if (known) return { token: known, source: 'memory' }
    const copy = await readReplica(companyKey, wanted, waitUntil)
    if (copy) return { token: copy, source: 'replica' }
    const reading =
      fromTable || !tokenCache.isOn() ? connections.read(companyKey, nowSeconds()) : readOnce(companyKey, waitUntil)
    const connection = await stored(companyKey, reading)
    if (!isFresh(connection, nowSeconds(), 0) || !isLongEnough(connection, minTtlSeconds, marginSeconds())) {
      return { token: await toUsableToken(await refresh(connection, false, waitUntil)), source: 'intuit' }
    }
    if (isDueForBackgroundRefresh(connection)) refreshInBackground(connection, waitUntil)
    return { token: await toUsableToken(connection), source: 'table' }
  }

  /**
   * A token that is newer than the stored one, whatever its age. With `generations`, only if the stored one is of one
   * of them; throws `generation_mismatch` where it is not.
   */
  const refreshedToken = async (
    companyKey: string,
    generations: number[] | undefined,
    waitUntil: WaitUntil,
  ): Promise<UsableToken> => {
    const connection = await stored(companyKey, connections.read(companyKey, nowSeconds()))
    if (generations && !generations.includes(connection.generation)) throw generationMismatch()
    return toUsableToken(await refresh(connection, true, waitUntil))
  }

  /**
   * Refreshes a connection that was not refreshed since `notSince`, or whose last refresh failed and may be tried again.
   * Never rejects: what went wrong is on the record, and in the log.
   */
  const refreshIdle = async (
    companyKey: string,
    notSince: EpochSeconds,
    waitUntil: WaitUntil,
  ): Promise<IdleRefresh> => {
    try {
      const connection = await connections.read(companyKey, nowSeconds())
      const isIdle = (connection?.lastRefreshAt ?? 0) <= notSince
      if (!connection?.refreshToken || !(isIdle || connection.failure)) return 'not due'
      if (await standingFailure(connection, nowSeconds(), false)) return 'not due'
      const renewed = await refresh(connection, false, waitUntil)
      return renewed.generation > connection.generation ? 'refreshed' : 'out of reach'
    } catch (error) {
      const code = error instanceof Problem ? error.code : 'internal_error'
      log({ event: 'idle_refresh_failed', company_key: companyKey, code })
      return OF_THE_CONNECTION.has(code) ? 'failed' : 'out of reach'
    }
  }

  return { freshToken, refreshedToken, refreshIdle }
}

export type Tokens = ReturnType<typeof createGetToken>
