import { findChain, isRotated, isUnderWay, NO_TOKEN, type Pair, type State, type Token, toConsent } from './state.ts'

/** The guarantees of the protocol. */
export const PROMISES = {
  overlap: 'uses of one token overlap only if a holder outlives its lease',
  follows: 'no use knowingly follows a stored or parked successor',
  lost: 'a token pair is lost only if its response never arrives or the Worker crashes before its first store or park',
  twice: 'no token pair raises the generation twice',
  older: 'an older token pair never overwrites a newer one',
  erased: 'no token comes back after a disconnect',
  undone: 'a disconnect ends the connection that it read, and no later one',
  marked: 'no invalid_grant of a superseded token marks a working connection as failed',
  settled: 'without further faults the connection ends with a valid token or a true failure',
} as const
export type Promised = keyof typeof PROMISES

export const breaks = (state: State, promised: Promised): State => ({
  ...state,
  broken: state.broken ?? PROMISES[promised],
})

/** The token pair that is parked for a used token. */
export const parkedFor = (state: State, used: Token): Pair | undefined =>
  used === NO_TOKEN ? undefined : state.parked.find((pair) => pair.used === used)

/** Whether a token is with a holder that will store it, or can be found by the next one. */
const isAtHand = (state: State, token: Token): boolean =>
  state.holders.some((holder) => isUnderWay(holder) && holder.pair?.refresh === token) ||
  state.tokenUses.some(({ awaited, pair }) => awaited && pair?.refresh === token) ||
  parkedFor(state, state.record.refresh)?.refresh === token

const isAlive = (state: State): boolean => findChain(state, state.record.refresh)?.alive ?? false

/** Whether the record, or a holder that will store it, has the token that Intuit accepts. */
export const isLiving = (state: State): boolean => {
  const current = findChain(state, state.record.refresh)?.current
  if (current === undefined || !isAlive(state)) return false
  return current === state.record.refresh || isAtHand(state, current)
}

/** The guarantee that a state breaks. Single steps report theirs in `broken`. */
export const brokenIn = (state: State): string | undefined => {
  if (state.broken) return state.broken
  const isExcused = findChain(state, state.record.refresh)?.excused
  const isLost = isAlive(state) && !isLiving(state) && !isExcused
  return isLost ? PROMISES.lost : undefined
}

/** Checks the write of a token pair, by any writer and however late. */
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

/** Checks the guarantees at the moment a holder sends a token to Intuit. */
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
