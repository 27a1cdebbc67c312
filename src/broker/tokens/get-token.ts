import { toProblemCode } from '../../problem.ts'
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
import type { RefreshDeps } from '../refresh/attempt.ts'
import type { Refresh } from '../refresh/refresh.ts'
import { createSingleFlight } from '../single-flight.ts'
import { nowSeconds, toSeconds } from '../timing.ts'
import { usableToken } from '../token-pair.ts'
import type { ReplicaReads } from './replica-reads.ts'
import type { TokenCache } from './token-cache.ts'

/** A younger token is never refreshed for its age, whatever the request says: a new one would not live longer. */
const YOUNG_SECONDS = 60

export interface GetTokenDeps extends Pick<RefreshDeps, 'connections' | 'vault' | 'runtime' | 'timing' | 'log'> {
  marginSeconds(): number
  refresh: Refresh
  tokenCache: TokenCache
  /** `undefined` if the table has no replicas. */
  replicaReads: ReplicaReads | undefined
}

/** What a request needs of a token. */
export interface Wanted {
  /** The minimum remaining lifetime, if it is longer than the margin. */
  minTtlSeconds: number
  /** Whether to read the table, and not the token cache or a replica. */
  fromTable: boolean
  /** Where the caller is, for a replica near it. `undefined`: read the primary region. */
  from?: (() => CallerLocation) | undefined
}

/** Where a token came from: the token cache, a replica, the table in the primary region, or Intuit just now. */
export type Source = 'memory' | 'replica' | 'table' | 'intuit'

/** Compares in both directions, so that a time from a wrong clock does not keep a token young for long. */
function isYoung({ lastRefreshAt }: Pick<Connection, 'lastRefreshAt'>, now: EpochSeconds): boolean {
  return lastRefreshAt !== undefined && Math.abs(now - lastRefreshAt) < YOUNG_SECONDS
}

/** Whether a token lives longer than `minSeconds`. A young token is valid for long enough in any case. */
function livesLongEnough(token: HandedOut, now: EpochSeconds, minSeconds: number): boolean {
  const leftSeconds = token.accessTokenExpiresAt - now
  return leftSeconds > 0 && (isYoung(token, now) || leftSeconds > minSeconds)
}

/** Whether to refresh in the background: the token has less than twice the margin left, and no refresh is in flight. */
function needsBackgroundRefresh(connection: WithAccessToken, nowMs: number, marginSeconds: number): boolean {
  const now = toSeconds(nowMs)
  const isNearMargin = connection.accessTokenExpiresAt - now <= 2 * marginSeconds
  const isInFlight = connection.lease !== undefined && connection.lease.until >= nowMs
  return isNearMargin && connection.refreshToken !== undefined && !isInFlight && !isYoung(connection, now)
}

/** A record from a read. Throws `connection_not_found`. An expired token also invalidates the token cache. */
async function requireConnection(
  { runtime, tokenCache }: GetTokenDeps,
  companyKey: string,
  reading: Promise<Connection | undefined>,
): Promise<Connection> {
  const connection = await reading
  if (!connection) throw connectionNotFound()
  if (!isFresh(connection, nowSeconds(runtime), 0)) tokenCache.invalidate(companyKey, connection.generation)
  return connection
}

/** Decrypts the access token and caches it. */
async function toUsableToken({ vault, tokenCache }: GetTokenDeps, connection: WithAccessToken): Promise<UsableToken> {
  const token = await usableToken(vault, connection)
  tokenCache.set(token)
  return token
}

function refreshInBackground(deps: GetTokenDeps, seen: Connection, waitUntil: WaitUntil): void {
  const refreshed = deps.refresh(seen, false, waitUntil).then((connection) => toUsableToken(deps, connection))
  const logged = refreshed.catch((error: unknown) => {
    const code = toProblemCode(error)
    deps.log({ event: 'background_refresh_failed', company_key: seen.companyKey, code })
  })
  waitUntil(logged)
}

/** The cached token, unless it has to be refreshed soon: the table decides that. */
function findCached(deps: GetTokenDeps, companyKey: string, { minTtlSeconds }: Wanted): UsableToken | undefined {
  const { runtime, tokenCache, marginSeconds } = deps
  const cached = tokenCache.get(companyKey)
  const minSeconds = Math.max(minTtlSeconds, 2 * marginSeconds())
  return cached && livesLongEnough(cached.connection, nowSeconds(runtime), minSeconds) ? cached : undefined
}

/**
 * A token from a replica, if it needs no refresh soon. Everything else, including a disconnect, is decided by the
 * table.
 */
async function findInReplica(deps: GetTokenDeps, companyKey: string, wanted: Wanted, waitUntil: WaitUntil) {
  const { runtime, replicaReads, marginSeconds } = deps
  const { minTtlSeconds, fromTable, from } = wanted
  if (!replicaReads || !from || fromTable) return undefined
  const connection = await replicaReads.read(companyKey, from(), waitUntil)
  const now = nowSeconds(runtime)
  if (!connection || !isFresh(connection, now, 0)) return undefined
  if (!livesLongEnough(connection, now, Math.max(minTtlSeconds, 2 * marginSeconds()))) return undefined
  // The replica may have a token that is encrypted with a key that was removed since.
  return toUsableToken(deps, connection).catch(() => undefined)
}

/** A token from the record, or from a refresh if it does not live long enough. */
async function useOrRefresh(
  deps: GetTokenDeps,
  connection: Connection,
  minTtlSeconds: number,
  waitUntil: WaitUntil,
): Promise<{ token: UsableToken; source: Source }> {
  const { runtime, refresh, marginSeconds } = deps
  const now = nowSeconds(runtime)
  const minSeconds = Math.max(minTtlSeconds, marginSeconds())
  if (!isFresh(connection, now, 0) || !livesLongEnough(connection, now, minSeconds)) {
    return { token: await toUsableToken(deps, await refresh(connection, false, waitUntil)), source: 'intuit' }
  }
  if (needsBackgroundRefresh(connection, runtime.now(), marginSeconds()))
    refreshInBackground(deps, connection, waitUntil)
  return { token: await toUsableToken(deps, connection), source: 'table' }
}

/** Hands out access tokens: the stored one while it lives long enough, else a new one. */
export function createGetToken(deps: GetTokenDeps) {
  const { connections, runtime, timing, tokenCache, refresh } = deps
  const reads = createSingleFlight<Connection | undefined>({ runtime, timing })
  const read = (companyKey: string) => connections.read(companyKey, nowSeconds(runtime))

  /** Requests that miss the token cache at the same time share one read. */
  const readShared = async (companyKey: string, waitUntil: WaitUntil): Promise<Connection | undefined> => {
    const begin = () => reads.begin(companyKey, 0, waitUntil, () => read(companyKey))
    const shared = reads.join(companyKey, 0)
    return shared === undefined ? begin() : ((await shared.catch(() => undefined)) ?? begin())
  }

  /**
   * A token that lives longer than the margin and `minTtlSeconds`, or is younger than a minute. Between twice the margin
   * and the margin, the stored token is returned at once and refreshed in the background, so that callers in steady use
   * never wait for Intuit.
   */
  const freshToken = async (
    companyKey: string,
    wanted: Wanted,
    waitUntil: WaitUntil,
  ): Promise<{ token: UsableToken; source: Source }> => {
    const cached = wanted.fromTable ? undefined : findCached(deps, companyKey, wanted)
    if (cached) return { token: cached, source: 'memory' }
    const replicated = await findInReplica(deps, companyKey, wanted, waitUntil)
    if (replicated) return { token: replicated, source: 'replica' }
    const isShared = !wanted.fromTable && tokenCache.isOn()
    const reading = isShared ? readShared(companyKey, waitUntil) : read(companyKey)
    const connection = await requireConnection(deps, companyKey, reading)
    return useOrRefresh(deps, connection, wanted.minTtlSeconds, waitUntil)
  }

  /**
   * A token that is newer than the stored one, whatever its age. With `generations`, only if the stored generation is
   * one of them: otherwise throws `generation_mismatch`.
   */
  const refreshedToken = async (
    companyKey: string,
    generations: number[] | undefined,
    waitUntil: WaitUntil,
  ): Promise<UsableToken> => {
    const connection = await requireConnection(deps, companyKey, read(companyKey))
    if (generations && !generations.includes(connection.generation)) throw generationMismatch()
    return toUsableToken(deps, await refresh(connection, true, waitUntil))
  }

  return { freshToken, refreshedToken }
}

export type Tokens = ReturnType<typeof createGetToken>
