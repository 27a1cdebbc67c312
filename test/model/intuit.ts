import type { Step } from './explore.ts'
import { breaks } from './promises.ts'
import type { World } from './rules.ts'
import { present } from './sending.ts'
import {
  chainOf,
  consentOf,
  excuse,
  finished,
  isRotated,
  nameOf,
  type Pair,
  type Presentation,
  type State,
  withHolder,
} from './state.ts'

type Steps = Step<State>[]

const without = (state: State, one: Presentation): State => ({
  ...state,
  presentations: state.presentations.filter((other) => other !== one),
})
const replaced = (state: State, one: Presentation, change: Partial<Presentation>): State => ({
  ...state,
  presentations: state.presentations.map((other) => (other === one ? { ...one, ...change } : other)),
})
const withChain = (state: State, pair: { refresh: number }, alive: boolean): State => ({
  ...state,
  chains: state.chains.map((chain, index) =>
    index === consentOf(pair.refresh) - 1 ? { ...chain, current: alive ? pair.refresh : chain.current, alive } : chain,
  ),
})

/** An answer that nobody waits for any more is gone; with it, after a rotation, the connection. */
const granted = (state: State, one: Presentation, refresh: number): State => {
  const access = state.grants + 1
  const pair: Pair = { refresh, access, spent: one.token, spentGeneration: one.spentGeneration, writer: one.by }
  const next = withChain({ ...state, grants: access }, pair, true)
  if (one.awaited) return replaced(next, one, { verdict: 'granted', pair })
  const unheard = without(next, one)
  return isRotated(pair) ? excuse(unheard, one.token) : unheard
}

const refused = (state: State, one: Presentation, { strict }: World): State => {
  const chain = chainOf(state, one.token)
  const kills = strict && chain?.alive === true
  const killed = kills ? withChain(state, { refresh: one.token }, false) : state
  const next = one.awaited ? replaced(killed, one, { verdict: 'refused' }) : without(killed, one)
  return kills && !chain.excused && !state.outlived ? breaks(next, 'follows') : next
}

const judge = (state: State, one: Presentation, world: World): Steps => {
  const chain = chainOf(state, one.token)
  const who = nameOf(one.by)
  if (!chain?.alive || chain.current !== one.token)
    return [{ label: `Intuit refuses ${who}`, next: refused(state, one, world) }]
  return [
    { label: `Intuit grants ${who} a rotated pair`, next: granted(state, one, one.token + 1) },
    { label: `Intuit grants ${who} the same refresh token`, next: granted(state, one, one.token) },
  ]
}

const arrives = (state: State, one: Presentation): Steps => {
  const { by, pair } = one
  const next = withHolder(without(state, one), by, pair ? { at: 'store', pair } : { at: 'refused' })
  return [{ label: `Intuit's answer reaches ${nameOf(by)}`, next }]
}

/** The holder hears nothing within its time. */
const unanswered = (state: State, one: Presentation, { rules }: World): State => {
  const holder = state.holders[one.by]
  if (rules.unanswered === 'lease freed') return withHolder(state, one.by, { at: 'unavailable' })
  if (rules.unanswered === 'sent again' && holder && !holder.resent)
    return present(state, one.by, { ...holder, resent: true })
  return finished(state, one.by)
}

/** The connection to Intuit breaks under the request, before or after it was judged. */
const reset = (state: State, one: Presentation, world: World): State => {
  const holder = state.holders[one.by]
  const isLeft = one.verdict === 'none' && world.rules.reset === 'may leave it under way'
  const next = isLeft ? replaced(state, one, { awaited: false }) : without(state, one)
  const isInTime = !holder?.lapsed || world.rules.resend === 'always'
  return holder && isInTime && !holder.resent
    ? present(next, one.by, { ...holder, resent: true })
    : unanswered(next, one, world)
}

const faults = (state: State, one: Presentation, world: World): Steps => {
  if (state.faults === 0 || !one.awaited) return []
  const who = nameOf(one.by)
  const isLost = one.pair !== undefined && isRotated(one.pair)
  const fewer = { ...state, faults: state.faults - 1 }
  const spoilt = isLost ? excuse(fewer, one.token) : fewer
  const broken = { label: `${who}'s connection to Intuit is reset`, next: reset(spoilt, one, world) }
  if (one.verdict !== 'none')
    return [broken, { label: `Intuit's answer to ${who} is lost`, next: unanswered(without(spoilt, one), one, world) }]
  const later = unanswered(replaced(spoilt, one, { awaited: false }), one, world)
  const busy = withHolder(without(spoilt, one), one.by, { at: 'unavailable' })
  return [
    broken,
    { label: `${who} waits in vain, its request still under way`, next: later },
    { label: `Intuit is too busy for ${who}`, next: busy },
  ]
}

/** What becomes of one presentation. */
export const intuitSteps = (state: State, one: Presentation, world: World): Steps => {
  if (one.verdict !== 'none') return [...arrives(state, one), ...faults(state, one, world)]
  const gone = one.awaited
    ? []
    : [{ label: `the request of ${nameOf(one.by)} comes to nothing`, next: without(state, one) }]
  return [...judge(state, one, world), ...gone, ...faults(state, one, world)]
}
