import type { Step } from './explore.ts'
import type { Effect } from './messages.ts'
import type { Rules } from './rules.ts'
import { sends } from './sending.ts'
import { finished, type Holder, isRotated, type Message, type State, toName, withHolder } from './state.ts'

type Steps = Step<State>[]

export const stores = (state: State, by: number, holder: Holder, rules: Rules): Steps => {
  const { pair, at } = holder
  if (!pair) return []
  const kind = at === 'recover' ? 'recover' : 'store'
  const isParked = rules.park === 'all pairs' || (rules.park === 'rotated pairs' && isRotated(pair))
  const unheard = (silent: State): State[] => {
    if (at === 'recover') return [silent, finished(silent, by)]
    return [withHolder(silent, by, { at: at === 'store' && isParked ? 'park' : 'retry' })]
  }
  const to = holder.isTakeover && !isRotated(pair) ? rules.sameToken : 'free'
  const message: Message = { kind, by, pair, to }
  const written = sends(state, message, rules, ({ state: after }) => finished(after, by), unheard)
  const mayGiveUp = at === 'retry' && holder.parked === 'yes'
  return mayGiveUp ? [...written, { label: `${toName(by)}'s deadline is over`, next: finished(state, by) }] : written
}

export const parks = (state: State, by: number, { pair }: Holder, rules: Rules): Steps => {
  if (!pair) return []
  const answered = ({ state: after }: Effect) => withHolder(after, by, { at: 'retry', parked: 'yes' })
  const unheard = (silent: State) => [withHolder(silent, by, { at: 'retry', parked: 'failed' })]
  return sends(state, { kind: 'park', by, pair }, rules, answered, unheard)
}

export const readsAgain = (state: State, by: number, holder: Holder, rules: Rules): Steps => {
  const hasMoved = state.record.generation !== holder.usedGeneration
  if (hasMoved && rules.mark !== 'unconditionally')
    return [{ label: `${toName(by)} reads again and adopts`, next: finished(state, by) }]
  const next = withHolder(state, by, { at: 'ask again' })
  return [{ label: `${toName(by)} reads again: nothing new`, next }]
}

export const marks = (state: State, by: number, holder: Holder, rules: Rules): Steps => {
  const isUnsettled =
    holder.isTakeover && !holder.wasUnsettled && rules.refusedAfterTakeover === 'unsettled' ? 'unsettled' : 'dead'
  const failure = holder.at === 'unavailable' ? 'none' : isUnsettled
  const isKept =
    rules.failure === 'lapsed' || (rules.failure === 'free after invalid_grant' && holder.at === 'unavailable')
  const to = holder.isTakeover && isKept ? 'lapsed' : 'free'
  const message: Message = { kind: 'mark', by, used: holder.used, failure, to }
  return sends(
    state,
    message,
    rules,
    ({ state: after }) => finished(after, by),
    (silent) => [finished(silent, by)],
  )
}

export const givesBack = (state: State, by: number, holder: Holder, rules: Rules): Steps => {
  const message: Message = { kind: 'release', by, to: holder.isTakeover ? rules.releaseLease : 'free' }
  return sends(
    state,
    message,
    rules,
    ({ state: after }) => finished(after, by),
    (silent) => [finished(silent, by)],
  )
}
