/** One step of a transition system: a description, and the next state. */
export interface Step<State> {
  label: string
  next: State
}

/** A transition system. */
export interface System<State> {
  initial: State
  steps(state: State): Step<State>[]
  /** The same for states that behave alike. */
  key(state: State): string
  /** The guarantee that this state breaks. */
  broken(state: State): string | undefined
}

/** The result of an exploration. */
export interface Exploration {
  /** The number of distinct states: all reachable ones, or those before the first broken guarantee. */
  states: number
  /** The shortest trace to a broken guarantee. */
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

/** Visits all reachable states, breadth first. Stops at the first state that breaks a guarantee. */
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
