import { findChain, isRotated, isUnderWay, NO_TOKEN, type Pair, type State, type Token, toConsent } from './state.ts'

/** What the protocol promises, in the words of the design. */
export const PROMISES = {
  overlap: 'uses of one token overlap only if a holder outlives its lease',
  follows: 'no use knowingly follows a stored or parked successor',
  lost: 'a pair is lost only if its answer never arrives or the Worker dies before its first store or park',
  twice: 'no generation is counted twice for one pair',
  older: 'a newer pair is never overwritten by an older',
  erased: 'after a disconnect no token comes back',
  undone: 'a disconnect ends the connection that it read, and no later one',
  marked: 'nobody marks a living connection dead because of a loser’s invalid_grant',
  settled: 'without further faults the connection ends with a living token or a truthful failure',
} as const
export type Promised = keyof typeof PROMISES

export const breaks = (state: State, promised: Promised): State => ({
  ...state,
  broken: state.broken ?? PROMISES[promised],
})

/** The pair that is parked for a spent token. */
export const parkedFor = (state: State, used: Token): Pair | undefined =>
  used === NO_TOKEN ? undefined : state.parked.find((pair) => pair.used === used)

/** Whether a token is with somebody who will store it, or can be found by the next who asks. */
const isAtHand = (state: State, token: Token): boolean =>
  state.holders.some((holder) => isUnderWay(holder) && holder.pair?.refresh === token) ||
  state.tokenUses.some(({ awaited, pair }) => awaited && pair?.refresh === token) ||
  parkedFor(state, state.record.refresh)?.refresh === token

const isAlive = (state: State): boolean => findChain(state, state.record.refresh)?.alive ?? false

/** Whether the record, or somebody who will yet store it, has the token that Intuit would take. */
export const isLiving = (state: State): boolean => {
  const current = findChain(state, state.record.refresh)?.current
  if (current === undefined || !isAlive(state)) return false
  return current === state.record.refresh || isAtHand(state, current)
}

/** Looked for in every state: what no single step breaks. */
export const brokenIn = (state: State): string | undefined => {
  if (state.broken) return state.broken
  const isExcused = findChain(state, state.record.refresh)?.excused
  const isLost = isAlive(state) && !isLiving(state) && !isExcused
  return isLost ? PROMISES.lost : undefined
}

/** What a pair's write must never do, whoever wrote it and however late it arrives. */
export const checkWrite = (before: State, after: State, pair: Pair): State => {
  const { record } = before
  const bit = 1 << pair.access
  const isLaterConsent = toConsent(record.refresh) > toConsent(pair.refresh)
  const isOlder =
    isLaterConsent || (toConsent(record.refresh) === toConsent(pair.refresh) && record.access > pair.access)
  if (isOlder) return breaks(after, 'older')
  if (before.stored & bit) return breaks(after, 'twice')
  if (toConsent(pair.refresh) <= before.erased) return breaks(after, 'erased')
  return { ...after, stored: before.stored | bit }
}

/** What must hold at the moment a holder sends a token to Intuit. */
export const checkTokenUse = (state: State, token: Token, by: number): State => {
  const { record, tokenUses, outlived } = state
  const other = tokenUses.some((one) => one.token === token && (one.verdict === 'none' || one.awaited))
  if (other && !outlived) return breaks(state, 'overlap')
  const parked = parkedFor(state, token)
  const hasParked = parked !== undefined && isRotated(parked)
  const hasStored = toConsent(record.refresh) === toConsent(token) && record.refresh > token
  if ((hasStored || hasParked) && !outlived) return breaks(state, 'follows')
  const holder = state.holders[by]
  return hasParked && !holder?.asked ? breaks(state, 'follows') : state
}
