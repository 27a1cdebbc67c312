import type { EpochSeconds, FailureReason } from '../connection.ts'

/** What an attempt to refresh came to: another refresh token, the same one again, or why none. */
export type RefreshOutcome = 'rotated' | 'kept' | FailureReason

/** An attempt, or a row of attempts that failed for one reason. */
export interface RefreshHistoryEntry {
  /** Of the last attempt of the row. */
  at: EpochSeconds
  outcome: RefreshOutcome
  /** How many in a row; 1 for a good one. */
  count: number
}

/** As many as a record keeps: at a refresh an hour, a working day. */
const KEPT = 8

/** The history with one more attempt, newest last. Failures for one reason share a note, so that an outage pushes nothing out. */
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
