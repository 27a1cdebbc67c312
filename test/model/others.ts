import type { Step } from './explore.ts'
import type { Effect } from './messages.ts'
import { breaks } from './promises.ts'
import type { Rules } from './rules.ts'
import { sends } from './sending.ts'
import { CALLBACK, DISCONNECT, NO_TOKEN, type State, toConsent } from './state.ts'

type Steps = Step<State>[]

/** Reads the record, then exchanges its code for the first token of a new chain. */
const exchanges = (state: State): Steps => {
  const chains = state.chains.length + 1
  const refresh = chains * 10
  const access = state.grants + 1
  const { consentBy, generation } = state.record
  const pair = { refresh, access, used: NO_TOKEN, usedGeneration: generation, writer: CALLBACK }
  const next: State = {
    ...state,
    chains: [...state.chains, { current: refresh, alive: true, excused: false }],
    grants: access,
    callback: { at: 'write', consentBy, token: refresh, pair },
  }
  return [{ label: 'the callback exchanges its code', next }]
}

/** A consent is lost if its store is rejected, unless it was stored before, or another connect or disconnect was stored since. */
const connected = ({ state, applied }: Effect): State => {
  const next: State = { ...state, callback: { ...state.callback, at: 'done', pair: undefined } }
  const isSuperseded = state.record.consentBy !== state.callback.consentBy
  return applied || isSuperseded ? next : breaks(next, 'lost')
}

export const callbackSteps = (state: State, rules: Rules): Steps => {
  const { at, pair, consentBy } = state.callback
  if (at === 'idle') return exchanges(state)
  if (at !== 'write' || !pair) return []
  return sends(state, { kind: 'connect', by: CALLBACK, pair, consentBy }, rules, connected, (silent) => [silent])
}

const erased = ({ state, applied }: Effect): State => {
  const isMine = applied || state.record.consentBy === DISCONNECT
  return { ...state, disconnect: { ...state.disconnect, at: isMine ? 'revoke' : 'done' } }
}

const revokes = (state: State): State => ({
  ...state,
  chains: state.chains.map((chain, index) =>
    index === toConsent(state.disconnect.token) - 1 ? { ...chain, alive: false } : chain,
  ),
  disconnect: { ...state.disconnect, at: 'done' },
})

export const disconnectSteps = (state: State, rules: Rules): Steps => {
  const { at, consentBy } = state.disconnect
  const { record } = state
  if (at === 'idle') {
    const next: State = {
      ...state,
      disconnect: { at: 'write', consentBy: record.consentBy, token: record.refresh, pair: undefined },
    }
    return [{ label: 'the disconnect reads the record', next }]
  }
  if (at === 'revoke') return [{ label: 'the disconnect revokes', next: revokes(state) }]
  if (at !== 'write') return []
  return sends(state, { kind: 'erase', by: DISCONNECT, consentBy }, rules, erased, (silent) => [silent])
}
