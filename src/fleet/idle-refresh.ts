import type { EpochSeconds } from '../broker/connection.ts'
import type { IdleRefresh } from '../broker/tokens/get-token.ts'
import type { IndexedConnection } from './ports.ts'

const DAY_SECONDS = 24 * 3600
/** Refreshes at a time: Workers open six connections at once at the most, and a refresh needs one. */
const TOGETHER = 4
/** What a refresh takes where nothing is repeated: read, claim, refresh, store. */
export const CALLS_A_REFRESH = 4

/**
 * Why a connection is refreshed though nobody asked: it was idle for so long, or its last refresh failed and may be
 * tried again, which is how it is found out that it works again. One that only a consent can help is left alone.
 */
export function isDue(
  { connection, holdsRefreshToken }: IndexedConnection,
  now: EpochSeconds,
  idleRefreshDays: number,
): 'idle' | 'failing' | undefined {
  if (!holdsRefreshToken) return undefined
  if (connection.failure) return connection.failure.retryAt <= now ? 'failing' : undefined
  return (connection.lastRefreshAt ?? 0) <= now - idleRefreshDays * DAY_SECONDS ? 'idle' : undefined
}

export interface IdleRefreshCounts {
  refreshed: number
  failed: number
}

/** The end of the parts of a run: no new refresh begins once its calls, its number or its time are used up. */
interface Bounds {
  refreshes: number
  callsLeft(): number
  isOver(): boolean
}

/**
 * Refreshes idle connections, then those whose last refresh failed, so that these delay no other. Both come soonest to
 * expire first. Ends early where a whole handful fails for reasons that are not of the connection: Intuit or the table
 * is out of reach, and so for the next.
 */
export function createIdleRefresh(refreshIdle: (companyKey: string) => Promise<IdleRefresh>) {
  return async (
    idle: readonly IndexedConnection[],
    failing: readonly IndexedConnection[],
    bounds: Bounds,
  ): Promise<IdleRefreshCounts> => {
    const counts = { refreshed: 0, failed: 0 }
    const queue = [...idle, ...failing].slice(0, bounds.refreshes)
    while (queue.length > 0 && !bounds.isOver()) {
      const fitting = Math.min(TOGETHER, Math.floor(bounds.callsLeft() / CALLS_A_REFRESH))
      if (fitting < 1) break
      const handful = queue.splice(0, fitting)
      const outcomes = await Promise.all(handful.map(({ connection }) => refreshIdle(connection.companyKey)))
      counts.refreshed += outcomes.filter((outcome) => outcome === 'refreshed').length
      counts.failed += outcomes.filter((outcome) => outcome === 'failed' || outcome === 'out of reach').length
      if (outcomes.every((outcome) => outcome === 'out of reach')) break
    }
    return counts
  }
}
