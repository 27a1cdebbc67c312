import type { Holder, Message, Pair, State, TokenUse } from './state.ts'
import { CALLBACK, NOBODY } from './state.ts'

const inOrder = (keys: string[]) => keys.sort((one, other) => (one < other ? -1 : 1))
const bit = (flag: boolean) => (flag ? 1 : 0)
const pairKey = (pair: Pair | undefined) =>
  pair ? `${pair.refresh}.${pair.access}.${pair.used}.${pair.usedGeneration}` : ''

const messageKey = (message: Message): string => {
  const payload = 'pair' in message ? pairKey(message.pair) : ''
  const failure = message.kind === 'mark' ? `${message.used}${message.failure}` : ''
  const to = 'to' in message ? message.to : ''
  return `${message.kind}${payload}${failure}${to}`
}

const toTokenUseKey = ({ token, verdict, pair, awaited }: TokenUse) =>
  `${token}${verdict}${pairKey(pair)}${bit(awaited)}`

const holderKey = (state: State, holder: Holder, by: number): string => {
  const { record } = state
  const own = [
    holder.at,
    holder.seen,
    holder.used,
    holder.usedGeneration,
    bit(holder.isTakeover) + 2 * bit(holder.asked) + 4 * bit(holder.wasUnsettled) + 8 * bit(holder.lapsed),
    bit(holder.resent) + 2 * bit(record.leaseOwner === by) + 4 * bit(record.writtenBy === by),
    holder.parked,
    pairKey(holder.pair),
    // The writer of a pair matters only to the holder that recognises its own.
    holder.pair?.writer === by,
    state.parked.flatMap((pair) => (pair.writer === by ? [pair.used] : [])),
    inOrder(state.tokenUses.flatMap((one) => (one.by === by ? [toTokenUseKey(one)] : []))),
    inOrder(state.late.flatMap((message) => (message.by === by ? [messageKey(message)] : []))),
    state.late.flatMap((message) => (message.kind === 'claim' && message.over === by ? [message.by === by] : [])),
  ]
  return own.join()
}

/** The key of a state. Holders are interchangeable, so their order and names do not count. */
export const parseKey = (state: State): string => {
  const { record, chains, parked, callback, disconnect } = state
  const rest = [
    record.refresh,
    record.hash,
    record.access,
    record.generation,
    record.consentBy,
    record.writtenBy === CALLBACK,
    record.lease,
    record.leaseOwner === NOBODY,
    record.failure,
    chains.map(({ current, alive, excused }) => `${current}${bit(alive)}${bit(excused)}`),
    state.grants,
    inOrder(parked.map(pairKey)),
    callback.at,
    callback.consentBy,
    pairKey(callback.pair),
    disconnect.at,
    disconnect.consentBy,
    disconnect.token,
    inOrder(state.late.flatMap((message) => (message.by >= state.holders.length ? [messageKey(message)] : []))),
    state.faults,
    state.crashes,
    state.stored,
    bit(state.outlived),
    state.erased,
    state.broken ?? '',
  ]
  const holders = inOrder(state.holders.map((holder, by) => holderKey(state, holder, by)))
  return `${rest.join()}|${holders.join('|')}`
}
