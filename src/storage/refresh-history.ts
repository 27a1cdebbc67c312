import type { RefreshHistoryEntry, RefreshOutcome } from '../broker/refresh/history.ts'

/*
 * The attribute `refreshes`, such as `tlq2o0R,tlq4k1K,tlq8c2U3`. Each entry has the epoch seconds in base 36, a letter for
 * the outcome, and a count if it is not 1. Eight entries take about 65 bytes: every read of a record pays for its bytes
 * (docs/decisions/0011-own-code.md).
 */

const OUTCOMES = [
  'rotated',
  'kept',
  'invalid_grant',
  'invalid_client',
  'unavailable',
  'unsettled',
  'request_rejected',
] as const
/** One letter for each outcome, in the same order. */
const LETTERS = 'RKGCUSX'

function toLetter(outcome: RefreshOutcome) {
  return LETTERS.charAt(OUTCOMES.indexOf(outcome))
}

function formatEntry({ at, outcome, count }: RefreshHistoryEntry) {
  return `${at.toString(36)}${toLetter(outcome)}${count === 1 ? '' : count}`
}

function parseEntry(text: string): RefreshHistoryEntry[] {
  const [, at = '', letter = '?', count] = /^([0-9a-z]{1,9})([A-Z])(\d{0,9})$/.exec(text) ?? []
  const outcome = OUTCOMES[LETTERS.indexOf(letter)]
  return outcome ? [{ at: Number.parseInt(at, 36), outcome, count: Number(count || 1) }] : []
}

/** Formats the attribute `refreshes`. */
export function formatHistory(history: readonly RefreshHistoryEntry[]): string {
  return history.map(formatEntry).join(',')
}

/** Parses the attribute `refreshes`. Skips malformed entries. */
export function parseHistory(text: string | undefined): readonly RefreshHistoryEntry[] {
  return text?.split(',').flatMap(parseEntry) ?? []
}
