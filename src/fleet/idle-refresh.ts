import type { EpochSeconds } from '../broker/connection.ts'
import { DAY_SECONDS } from '../broker/timing.ts'
import type { IdleRefresh } from '../broker/tokens/refresh-idle.ts'
import type { IndexedConnection } from './ports.ts'

/** Concurrent refreshes. Workers open at most six connections at once, and a refresh needs one. */
const CONCURRENCY = 4
/** Network calls of a refresh without retries: read, acquire the lease, refresh, store. */
export const CALLS_PER_REFRESH = 4

/**
 * Why the cron refreshes a connection. `idle`: nobody refreshed it for `idleRefreshDays`. `failing`: its last refresh
 * failed and its retry is due, which shows when the connection works again. `undefined`: it does not. A connection that
 * needs a new consent never does.
 */
export function findIdleRefreshReason(
  { connection, holdsRefreshToken }: IndexedConnection,
  now: EpochSeconds,
  idleRefreshDays: number,
): 'idle' | 'failing' | undefined {
  if (!holdsRefreshToken) return undefined
  if (connection.failure) return connection.failure.retryAt <= now ? 'failing' : undefined
  return (connection.lastRefreshAt ?? 0) <= now - idleRefreshDays * DAY_SECONDS ? 'idle' : undefined
}

/** Number of connections that were refreshed, and of those whose refresh failed. */
export interface IdleRefreshCounts {
  refreshed: number
  failed: number
}

/** What to refresh. Both lists begin with the connection that expires soonest. */
export interface IdleRefreshRequest {
  idle: readonly IndexedConnection[]
  failing: readonly IndexedConnection[]
  /** The most refreshes. */
  limit: number
  /** Network calls that are left. */
  callsLeft(): number
  /** Whether the time is used up. */
  isOver(): boolean
}

/**
 * Refreshes idle connections first, so that failing connections do not delay them. Starts no refresh once the limit, the
 * calls or the time are used up. Stops if a whole batch could not reach Intuit or the table, because the next batch
 * could not either. `refreshIdle` never rejects.
 */
export async function refreshIdleConnections(
  refreshIdle: (companyKey: string) => Promise<IdleRefresh>,
  { idle, failing, limit, callsLeft, isOver }: IdleRefreshRequest,
): Promise<IdleRefreshCounts> {
  const counts = { refreshed: 0, failed: 0 }
  const queue = [...idle, ...failing].slice(0, limit)
  while (queue.length > 0 && !isOver()) {
    const size = Math.min(CONCURRENCY, Math.floor(callsLeft() / CALLS_PER_REFRESH))
    if (size < 1) break
    const batch = queue.splice(0, size)
    const outcomes = await Promise.all(batch.map(({ connection }) => refreshIdle(connection.companyKey)))
    counts.refreshed += outcomes.filter((outcome) => outcome === 'refreshed').length
    counts.failed += outcomes.filter((outcome) => outcome === 'failed' || outcome === 'out of reach').length
    if (outcomes.every((outcome) => outcome === 'out of reach')) break
  }
  return counts
}
