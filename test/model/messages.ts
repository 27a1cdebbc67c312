import { breaks, checkWrite, isLiving } from './promises.ts'
import type { Rules } from './rules.ts'
import { CALLBACK, isRotated, type Message, NO_TOKEN, NOBODY, type Pair, type State, toName } from './state.ts'

/** The effect of one message on the table or the rescue store, in one step. */
export interface Effect {
  state: State
  applied: boolean
  isTakeover: boolean
}

type Of<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>

const refused = (state: State): Effect => ({ state, applied: false, isTakeover: false })
const applied = (state: State): Effect => ({ state, applied: true, isTakeover: false })

const claim = (state: State, { by, over }: Of<'claim'>, rules: Rules): Effect => {
  const { record } = state
  const { lease, leaseOwner } = record
  const isMine = lease === 'live' && leaseOwner === by
  const isOpen = lease === 'free' || (lease === 'lapsed' && [by, over].includes(leaseOwner))
  if (!isOpen && !isMine && rules.claim === 'unless a live lease stands') return refused(state)
  // A late claim carries the end of its lease, which may be in the past by the holder's clock.
  const isOver = state.holders[by]?.lapsed ?? false
  const next: State = { ...state, record: { ...record, lease: isOver ? 'lapsed' : 'live', leaseOwner: by } }
  const isTakeover = isMine ? rules.repeatedClaim === 'keeps the lapse' : lease === 'lapsed'
  return { state: next, applied: true, isTakeover }
}

const release = (state: State, { by, to }: Of<'release'>): Effect => {
  const { record } = state
  if (record.lease === 'free' || record.leaseOwner !== by) return refused(state)
  return applied({ ...state, record: { ...record, lease: to } })
}

const withPair = (state: State, pair: Pair, lease: 'free' | 'lapsed'): State => {
  const record = {
    ...state.record,
    refresh: pair.refresh,
    hash: pair.refresh,
    access: pair.access,
    generation: state.record.generation + 1,
    writtenBy: pair.writer,
    lease,
    leaseOwner: lease === 'free' ? NOBODY : state.record.leaseOwner,
    failure: 'none' as const,
  }
  return checkWrite(state, { ...state, record }, pair)
}

const mayStore = ({ record }: State, { kind, by, pair }: Of<'store' | 'recover'>, rules: Rules): boolean => {
  if (kind === 'recover' && rules.recover === 'unconditionally') return true
  if (rules.store === 'nothing') return true
  const isMine = record.lease !== 'free' && record.leaseOwner === by
  if (rules.store === 'hash and lease' && !isMine) return false
  if (record.hash !== pair.used || record.writtenBy === pair.writer) return false
  if (isRotated(pair) || rules.unrotated === 'expiry') return true
  const hasStayed = record.generation === pair.usedGeneration || rules.unrotated === 'lease'
  return hasStayed && (isMine || rules.unrotated === 'generation')
}

const mayConnect = ({ record }: State, { pair, consentBy }: Of<'connect'>, rules: Rules): boolean => {
  switch (rules.connect) {
    case 'consent as read':
      return record.consentBy === consentBy
    case 'not written by me':
      return record.writtenBy !== CALLBACK
    case 'generation':
      return record.generation === pair.usedGeneration
    case 'unconditionally':
      return true
  }
}

const connect = (state: State, message: Of<'connect'>, rules: Rules): Effect => {
  if (!mayConnect(state, message, rules)) return refused(state)
  const next = withPair(state, message.pair, 'free')
  return applied({ ...next, record: { ...next.record, consentBy: CALLBACK } })
}

const erase = (state: State, { by, consentBy }: Of<'erase'>, rules: Rules): Effect => {
  const { record } = state
  if (rules.erase === 'consent as read' && record.consentBy !== consentBy) return refused(state)
  const isAnother = record.consentBy !== consentBy && record.consentBy !== by
  const next: State = {
    ...state,
    record: {
      ...record,
      refresh: NO_TOKEN,
      hash: rules.erases === 'tokens' ? record.hash : NO_TOKEN,
      generation: record.generation + 1,
      consentBy: by,
      lease: 'free',
      leaseOwner: NOBODY,
      failure: 'none',
    },
    erased: state.chains.length,
  }
  return applied(isAnother ? breaks(next, 'undone') : next)
}

const park = (state: State, { pair }: Of<'park'>, rules: Rules): Effect => {
  const kept = rules.parked === 'the last one' ? [] : state.parked.filter(({ used }) => used !== pair.used)
  return applied({ ...state, parked: [...kept, pair] })
}

const mark = (state: State, { by, used, failure, to }: Of<'mark'>, rules: Rules): Effect => {
  const { record } = state
  const mayMark = record.hash === used && record.lease !== 'free' && record.leaseOwner === by
  if (rules.mark !== 'unconditionally' && !mayMark) return refused(state)
  const next = { ...state, record: { ...record, failure, lease: to } }
  return applied(failure === 'dead' && isLiving(state) ? breaks(next, 'marked') : next)
}

/** Applies a message, in time or late. */
export const apply = (state: State, message: Message, rules: Rules): Effect => {
  switch (message.kind) {
    case 'claim':
      return claim(state, message, rules)
    case 'release':
      return release(state, message)
    case 'store':
    case 'recover':
      return mayStore(state, message, rules) ? applied(withPair(state, message.pair, message.to)) : refused(state)
    case 'park':
      return park(state, message, rules)
    case 'mark':
      return mark(state, message, rules)
    case 'connect':
      return connect(state, message, rules)
    case 'erase':
      return erase(state, message, rules)
  }
}

const VERBS: { [Kind in Message['kind']]: string } = {
  claim: 'acquires the lease',
  release: 'releases the lease',
  store: 'stores its token pair',
  recover: 'stores the parked token pair',
  park: 'parks its token pair',
  mark: 'records the failure',
  connect: 'stores its token pair',
  erase: 'erases the tokens',
}
export const inWords = ({ kind, by }: Message) => `${toName(by)} ${VERBS[kind]}`
