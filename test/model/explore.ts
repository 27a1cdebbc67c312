/** One step of a transition system: what happens, in words, and the state it leads to. */
export interface Step<State> {
  label: string
  next: State
}

export interface System<State> {
  initial: State
  steps(state: State): Step<State>[]
  /** Equal for states that behave alike. */
  key(state: State): string
  /** The promise that this state breaks, in words. */
  broken(state: State): string | undefined
}

export interface Exploration {
  /** States that were told apart; all that can be reached, unless a promise was broken. */
  states: number
  /** The shortest way to a broken promise. */
  counterexample: { promise: string; trace: string[] } | undefined
}

interface Visit<State> {
  state: State
  label: string
  from: Visit<State> | undefined
}

const traceTo = <State>(last: Visit<State>): string[] => {
  const trace: string[] = []
  for (let visit: Visit<State> = last; visit.from; visit = visit.from) trace.unshift(visit.label)
  return trace
}

/** Visits every reachable state, breadth first, and stops at the first that breaks a promise. */
export const explore = <State>({ initial, steps, key, broken }: System<State>): Exploration => {
  const seen = new Set([key(initial)])
  let frontier: Visit<State>[] = [{ state: initial, label: '', from: undefined }]
  while (frontier.length > 0) {
    const reached: Visit<State>[] = []
    for (const visit of frontier) {
      const promise = broken(visit.state)
      if (promise) return { states: seen.size, counterexample: { promise, trace: traceTo(visit) } }
      for (const { label, next } of steps(visit.state)) {
        const size = seen.size
        if (seen.add(key(next)).size > size) reached.push({ state: next, label, from: visit })
      }
    }
    frontier = reached
  }
  return { states: seen.size, counterexample: undefined }
}
