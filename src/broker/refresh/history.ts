import type { EpochSeconds, FailureReason } from '../connection.ts'

/** The result of a refresh: a new refresh token, the same one, or the reason for none. */
export type RefreshOutcome = 'rotated' | 'kept' | FailureReason

/** A refresh, or consecutive refreshes that failed for the same reason. */
export interface RefreshHistoryEntry {
  /** The time of the last one. */
  at: EpochSeconds
  outcome: RefreshOutcome
  /** The number of consecutive failures. 1 for a success. */
  count: number
}

/** The most entries of a record: a working day, at one refresh per hour. */
const KEPT = 8

/**
 * Adds a refresh to the history, newest last. Consecutive failures for one reason share an entry, so that an outage
 * does not push out the others.
 */
export function addToHistory(
  history: readonly RefreshHistoryEntry[],
  outcome: RefreshOutcome,
  at: EpochSeconds,
): readonly RefreshHistoryEntry[] {
  const last = history.at(-1)
  const isGood = outcome === 'rotated' || outcome === 'kept'
  if (last && !isGood && last.outcome === outcome)
    return [...history.slice(0, -1), { at, outcome, count: last.count + 1 }]
  return [...history, { at, outcome, count: 1 }].slice(-KEPT)
}
