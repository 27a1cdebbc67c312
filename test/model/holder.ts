import type { Step } from './explore.ts'
import type { Effect } from './messages.ts'
import { givesBack, marks, parks, readsAgain, stores } from './outcome.ts'
import { parkedFor } from './promises.ts'
import type { Rules } from './rules.ts'
import { present, sends } from './sending.ts'
import { finished, type Holder, isUnderWay, NO_TOKEN, type State, toName, withHolder } from './state.ts'

type Steps = Step<State>[]

/** `unsettled` stays until the former lease holder has stored its token pair or crashed. The broker waits a minute for this. */
const mayBeSettledYet = (state: State) =>
  state.tokenUses.length === 0 && !state.holders.some((holder) => isUnderWay(holder) && holder.pair)

const reads = (state: State, by: number): Steps => {
  const { refresh, generation, failure } = state.record
  if (failure === 'unsettled' && !mayBeSettledYet(state)) return []
  const isOver = refresh === NO_TOKEN || failure === 'dead'
  const next = isOver
    ? finished(state, by)
    : withHolder(state, by, { at: 'claim', seen: generation, used: refresh, usedGeneration: generation })
  return [{ label: `${toName(by)} reads the record`, next }]
}

const claimed = ({ state, isTakeover }: Effect, by: number, holder: Holder, rules: Rules): State => {
  const { refresh, generation, failure } = state.record
  const wasUnsettled = failure === 'unsettled'
  const known = { isTakeover, wasUnsettled, lapsed: false }
  const next = rules.ask === 'after a takeover' && isTakeover ? 'ask' : 'check'
  if (rules.usedRecord === 'what was read before it') return withHolder(state, by, { ...known, at: next })
  const mayNot = refresh === NO_TOKEN || generation > holder.seen || (wasUnsettled && !mayBeSettledYet(state))
  if (mayNot) return withHolder(state, by, { ...known, at: 'give back' })
  return withHolder(state, by, { ...known, at: next, used: refresh, usedGeneration: generation })
}

const claims = (state: State, by: number, holder: Holder, rules: Rules): Steps => {
  const { lease, leaseOwner } = state.record
  const isHeld = lease === 'live' && leaseOwner !== by && rules.claim === 'unless a live lease stands'
  if (isHeld) return []
  const answered = (effect: Effect) => claimed(effect, by, holder, rules)
  const over = lease === 'lapsed' ? leaseOwner : by
  const awake = withHolder(state, by, { lapsed: false })
  return sends(awake, { kind: 'claim', by, over }, rules, answered, (silent) => [silent, finished(silent, by)])
}

const asks = (state: State, by: number, holder: Holder, rules: Rules): Steps => {
  const found = parkedFor(state, holder.used)
  const isFirst = holder.at === 'ask'
  const next =
    found && rules.rescueHasSuccessor === 'store it'
      ? withHolder(state, by, { at: 'recover', pair: found })
      : withHolder(state, by, { at: isFirst ? 'check' : 'mark', asked: true })
  const asked = { label: `${toName(by)} reads the rescue store, which has ${found ? 'a pair' : 'nothing'}`, next }
  if (state.faults === 0) return [asked]
  const at = isFirst && rules.rescueOutOfReach === 'use' ? 'check' : 'give back'
  const unheard = withHolder({ ...state, faults: state.faults - 1 }, by, { at })
  return [asked, { label: `${toName(by)} cannot read the rescue store`, next: unheard }]
}

const checks = (state: State, by: number, holder: Holder, rules: Rules): Steps => {
  const isOver = holder.lapsed && rules.leaseCheck === 'before the use'
  return isOver
    ? [{ label: `${toName(by)} finds its lease lapsed`, next: finished(state, by) }]
    : [{ label: `${toName(by)} uses the token`, next: present(state, by, holder) }]
}

/** After a connection reset a holder reads the record again, because it may have been paused and have lost its lease. */
const looksAgain = (state: State, by: number, holder: Holder): Steps => {
  const { lease, leaseOwner, generation } = state.record
  const isHeld = lease === 'live' && leaseOwner === by && generation === holder.usedGeneration
  const next = withHolder(state, by, { at: isHeld ? 'send again' : 'give back' })
  const looked = { label: `${toName(by)} reads the record again`, next }
  if (state.faults === 0) return [looked]
  const unheard = withHolder({ ...state, faults: state.faults - 1 }, by, { at: 'give back' })
  return [looked, { label: `${toName(by)} cannot read the record again`, next: unheard }]
}

const sendsAgain = (state: State, by: number, holder: Holder, rules: Rules): Steps => {
  const isOver = holder.lapsed && rules.resend === 'record and clock'
  return isOver
    ? [{ label: `${toName(by)} finds its lease lapsed`, next: withHolder(state, by, { at: 'give back' }) }]
    : [{ label: `${toName(by)} uses the token again`, next: present(state, by, { ...holder, resent: true }) }]
}

/** The next steps of a holder. None while it waits for Intuit or for another holder's lease. */
export const holderSteps = (state: State, by: number, holder: Holder, rules: Rules): Steps => {
  switch (holder.at) {
    case 'idle':
      return reads(state, by)
    case 'claim':
      return claims(state, by, holder, rules)
    case 'ask':
    case 'ask again':
      return asks(state, by, holder, rules)
    case 'check':
      return checks(state, by, holder, rules)
    case 'look again':
      return looksAgain(state, by, holder)
    case 'send again':
      return sendsAgain(state, by, holder, rules)
    case 'store':
    case 'retry':
    case 'recover':
      return stores(state, by, holder, rules)
    case 'park':
      return parks(state, by, holder, rules)
    case 'refused':
      return readsAgain(state, by, holder, rules)
    case 'mark':
    case 'unavailable':
      return marks(state, by, holder, rules)
    case 'give back':
      return givesBack(state, by, holder, rules)
    default:
      return []
  }
}
