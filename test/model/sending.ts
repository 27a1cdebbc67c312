import type { Step } from './explore.ts'
import { apply, type Effect, inWords } from './messages.ts'
import { checkTokenUse } from './promises.ts'
import type { Rules } from './rules.ts'
import { type Holder, type Message, type State, withHolder } from './state.ts'

/** Sends a message. With a fault the sender gets no response, and the message arrives late or never. */
export const sends = (
  state: State,
  message: Message,
  rules: Rules,
  answered: (effect: Effect) => State,
  unheard: (state: State) => State[],
): Step<State>[] => {
  const label = inWords(message)
  const heard = { label, next: answered(apply(state, message, rules)) }
  if (state.faults === 0) return [heard]
  const silent = { ...state, faults: state.faults - 1, late: [...state.late, message] }
  return [heard, ...unheard(silent).map((next) => ({ label: `${label}, without a response`, next }))]
}

/** Sends a holder's token to Intuit. */
export const present = (state: State, by: number, holder: Holder): State => {
  const checked = checkTokenUse(state, holder.used, by)
  const tokenUse = {
    by,
    token: holder.used,
    usedGeneration: holder.usedGeneration,
    verdict: 'none' as const,
    pair: undefined,
    awaited: true,
  }
  const sent = { ...checked, tokenUses: [...checked.tokenUses, tokenUse] }
  return withHolder(sent, by, { ...holder, at: 'sent' })
}
