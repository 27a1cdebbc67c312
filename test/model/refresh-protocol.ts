import { crash } from './crash.ts'
import type { Step, System } from './explore.ts'
import { holderSteps } from './holder.ts'
import { initialState } from './initial.ts'
import { intuitSteps } from './intuit.ts'
import { parseKey } from './key.ts'
import { apply, inWords } from './messages.ts'
import { callbackSteps, disconnectSteps } from './others.ts'
import { brokenIn, isLiving, PROMISES } from './promises.ts'
import type { World } from './rules.ts'
import { findChain, type Holder, IDLE, isUnderWay, NO_TOKEN, type State, toName, withHolder } from './state.ts'

type Steps = Step<State>[]

/** Phases in which a holder checks its lease before it uses the token, or does not use it. */
const BEFORE_USE = new Set<Holder['at']>([
  ...(['claim', 'ask', 'check', 'recover', 'give back', 'look again', 'send again'] as const),
])

const isSentBy = (state: State, by: number) =>
  state.tokenUses.some((one) => one.by === by) || state.late.some((message) => message.by === by)

/** A lease lapses by the clock, independently of its holder. */
const lapse = (state: State, { sleeps }: World): Steps => {
  const { lease, leaseOwner: by } = state.record
  const holder = state.holders[by]
  if (lease !== 'live' || !holder) return []
  const isOver = !isUnderWay(holder) && !isSentBy(state, by)
  const isHarmless = isOver || (BEFORE_USE.has(holder.at) && !isSentBy(state, by))
  const mayLapse = isOver || sleeps === 'always' || (sleeps === 'before the use' && isHarmless)
  if (!mayLapse) return []
  const next = { ...state, record: { ...state.record, lease: 'lapsed' as const } }
  const label = `the lease of ${toName(by)} lapses`
  if (isOver) return [{ label, next }]
  return [{ label, next: withHolder({ ...next, outlived: state.outlived || !isHarmless }, by, { lapsed: true }) }]
}

const lateSteps = (state: State, { rules }: World): Steps =>
  state.late.flatMap((message) => {
    const rest = { ...state, late: state.late.filter((other) => other !== message) }
    const words = inWords(message)
    return [
      { label: `late: ${words}`, next: apply(rest, message, rules).state },
      { label: `never: ${words}`, next: rest },
    ]
  })

/** The steps without new callers, faults and other writers. */
const ownSteps = (state: State, world: World): Steps => [
  ...state.holders.flatMap((holder, by) => (holder.at === 'idle' ? [] : holderSteps(state, by, holder, world.rules))),
  ...state.tokenUses.flatMap((one) => intuitSteps(state, one, world)),
  ...lateSteps(state, world),
]

const findSteps = (state: State, world: World): Steps => [
  ...state.holders.flatMap((holder, by) => [
    ...holderSteps(state, by, holder, world.rules),
    ...crash(state, by, holder),
  ]),
  ...state.tokenUses.flatMap((one) => intuitSteps(state, one, world)),
  ...lateSteps(state, world),
  ...lapse(state, world),
  ...callbackSteps(state, world.rules),
  ...disconnectSteps(state, world.rules),
]

/** Whether one more caller, without faults, gets a valid token or a true failure. */
const settles = (quiet: State, world: World): boolean => {
  const calm: World = { ...world, sleeps: 'never' }
  const by = quiet.holders.length
  let state: State = { ...quiet, holders: [...quiet.holders, IDLE], faults: 0, crashes: 0 }
  for (;;) {
    const [step] = [
      ...lapse(state, calm),
      ...ownSteps(state, calm),
      ...state.holders.flatMap((holder, index) => (index === by ? holderSteps(state, by, holder, calm.rules) : [])),
    ]
    if (!step) break
    state = step.next
  }
  const isOver = state.record.refresh === NO_TOKEN || isLiving(state) || isTrulyGone(state)
  return isOver && !isUnderWay(state.holders[by] ?? IDLE)
}

const isTrulyGone = (state: State) => {
  const chain = findChain(state, state.record.refresh)
  return !chain?.alive || chain.excused
}

/** Whether no message is under way and no holder is active. */
const isQuiet = (state: State) =>
  state.tokenUses.length === 0 &&
  state.late.length === 0 &&
  state.holders.every((holder) => !isUnderWay(holder) || holder.at === 'claim')

/** Whether an active holder cannot continue, although it does not wait for a lease. */
const isStuck = (state: State, world: World) => !isQuiet(state) && ownSteps(state, world).length === 0

/** The refresh of one connection by several holders, as a finite transition system. */
export const refreshProtocol = (world: World): System<State> => ({
  initial: initialState(world),
  steps: (state) => findSteps(state, world),
  key: parseKey,
  broken: (state) => {
    const broken = brokenIn(state)
    if (broken) return broken
    const isSettled = isQuiet(state) ? settles(state, world) : !isStuck(state, world)
    return isSettled ? undefined : PROMISES.settled
  },
})
