import type { RefreshNote, RefreshOutcome } from '../broker/refresh/history.ts'

/*
 * refreshes   S   tlq2o0R,tlq4k1K,tlq8c2U3: the time in seconds, base 36; what it came to; how often, if not once
 *
 * Eight attempts take some 65 bytes: every read of a record pays for each of them.
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
/** Of the outcomes, in their order. */
const LETTERS = 'RKGCUSX'

function toLetter(outcome: RefreshOutcome) {
  return LETTERS.charAt(OUTCOMES.indexOf(outcome))
}

function formatNote({ at, outcome, count }: RefreshNote) {
  return `${at.toString(36)}${toLetter(outcome)}${count === 1 ? '' : count}`
}

function parseNote(text: string): RefreshNote[] {
  const [, at = '', letter = '?', count] = /^([0-9a-z]{1,9})([A-Z])(\d{0,9})$/.exec(text) ?? []
  const outcome = OUTCOMES[LETTERS.indexOf(letter)]
  return outcome ? [{ at: Number.parseInt(at, 36), outcome, count: Number(count || 1) }] : []
}

/** The attribute `refreshes`. */
export function formatHistory(history: readonly RefreshNote[]): string {
  return history.map(formatNote).join(',')
}

/** What the attribute says; a note that is not of that form is passed over. */
export function parseHistory(text: string | undefined): readonly RefreshNote[] {
  return text?.split(',').flatMap(parseNote) ?? []
}
