import type { Step } from './explore.ts'
import { breaks } from './promises.ts'
import type { World } from './rules.ts'
import { present } from './sending.ts'
import {
  excuse,
  findChain,
  finished,
  isRotated,
  type Pair,
  type State,
  type TokenUse,
  toConsent,
  toName,
  withHolder,
} from './state.ts'

type Steps = Step<State>[]

const without = (state: State, one: TokenUse): State => ({
  ...state,
  tokenUses: state.tokenUses.filter((other) => other !== one),
})
const replaced = (state: State, one: TokenUse, change: Partial<TokenUse>): State => ({
  ...state,
  tokenUses: state.tokenUses.map((other) => (other === one ? { ...one, ...change } : other)),
})
const withChain = (state: State, pair: { refresh: number }, alive: boolean): State => ({
  ...state,
  chains: state.chains.map((chain, index) =>
    index === toConsent(pair.refresh) - 1 ? { ...chain, current: alive ? pair.refresh : chain.current, alive } : chain,
  ),
})

/** Without a waiting holder the response is lost, and after a rotation the connection too. Only a holder that gave up on purpose has no excuse. */
const issue = (state: State, one: TokenUse, refresh: number, { rules }: World): State => {
  const access = state.grants + 1
  const pair: Pair = { refresh, access, used: one.token, usedGeneration: one.usedGeneration, writer: one.by }
  const next = withChain({ ...state, grants: access }, pair, true)
  if (one.awaited) return replaced(next, one, { verdict: 'granted', pair })
  const unheard = without(next, one)
  return isRotated(pair) && rules.unanswered !== 'given up' ? excuse(unheard, one.token) : unheard
}

const refused = (state: State, one: TokenUse, { strict }: World): State => {
  const chain = findChain(state, one.token)
  const kills = strict && chain?.alive === true
  const killed = kills ? withChain(state, { refresh: one.token }, false) : state
  const next = one.awaited ? replaced(killed, one, { verdict: 'refused' }) : without(killed, one)
  return kills && !chain.excused && !state.outlived ? breaks(next, 'follows') : next
}

const decide = (state: State, one: TokenUse, world: World): Steps => {
  const chain = findChain(state, one.token)
  const who = toName(one.by)
  if (!chain?.alive || chain.current !== one.token)
    return [{ label: `Intuit rejects ${who}`, next: refused(state, one, world) }]
  return [
    { label: `Intuit issues a rotated token pair to ${who}`, next: issue(state, one, one.token + 1, world) },
    { label: `Intuit issues the same refresh token to ${who}`, next: issue(state, one, one.token, world) },
  ]
}

const arrives = (state: State, one: TokenUse): Steps => {
  const { by, pair } = one
  const next = withHolder(without(state, one), by, pair ? { at: 'store', pair } : { at: 'refused' })
  return [{ label: `Intuit's response reaches ${toName(by)}`, next }]
}

/** The holder's request times out. With `isUnderWay` it still reaches Intuit. */
const timeOut = (state: State, one: TokenUse, { rules }: World, isUnderWay: boolean): State => {
  const { by } = one
  const holder = state.holders[by]
  const unheard = isUnderWay ? replaced(state, one, { awaited: false }) : without(state, one)
  switch (rules.unanswered) {
    case 'listened to':
      return isUnderWay ? withHolder(state, by, { at: 'listening' }) : finished(unheard, by)
    case 'given up':
      return finished(unheard, by)
    case 'lease freed':
      return withHolder(unheard, by, { at: 'unavailable' })
    case 'sent again':
      return holder && !holder.resent ? present(unheard, by, { ...holder, resent: true }) : finished(unheard, by)
  }
}

/** The connection to Intuit is reset, before or after Intuit processed the request. */
const reset = (state: State, one: TokenUse, world: World): State => {
  const { by } = one
  const holder = state.holders[by]
  const isLeft = one.verdict === 'none' && world.rules.reset === 'may leave it under way'
  const next = isLeft ? replaced(state, one, { awaited: false }) : without(state, one)
  if (holder?.at !== 'sent' || holder.resent) return finished(next, by)
  return world.rules.resend === 'nothing'
    ? present(next, by, { ...holder, resent: true })
    : withHolder(next, by, { at: 'look again' })
}

const faults = (state: State, one: TokenUse, world: World): Steps => {
  if (state.faults === 0 || !one.awaited) return []
  const who = toName(one.by)
  const isLate = state.holders[one.by]?.at === 'listening'
  const isLost = one.pair !== undefined && isRotated(one.pair)
  const fewer = { ...state, faults: state.faults - 1 }
  const spoilt = isLost ? excuse(fewer, one.token) : fewer
  const broken = { label: `${who}'s connection to Intuit is reset`, next: reset(spoilt, one, world) }
  if (one.verdict !== 'none')
    return [broken, { label: `Intuit's response to ${who} is lost`, next: timeOut(spoilt, one, world, false) }]
  const busy = withHolder(without(spoilt, one), one.by, { at: 'unavailable' })
  const ended = finished(replaced(spoilt, one, { awaited: false }), one.by)
  return [
    broken,
    { label: `Intuit is unavailable to ${who}`, next: busy },
    isLate
      ? { label: `${who} stops waiting for a late response, its request still under way`, next: ended }
      : { label: `${who}'s request times out, still under way`, next: timeOut(spoilt, one, world, true) },
  ]
}

/** What can happen to one use of a refresh token. */
export const intuitSteps = (state: State, one: TokenUse, world: World): Steps => {
  if (one.verdict !== 'none') return [...arrives(state, one), ...faults(state, one, world)]
  const gone = one.awaited
    ? []
    : [{ label: `the request of ${toName(one.by)} never arrives`, next: without(state, one) }]
  return [...decide(state, one, world), ...gone, ...faults(state, one, world)]
}
