import type { Loss } from './verdict.ts'

/** The figures of a run. */
export const createTally = () => {
  const strikes = new Map<string, number>()
  const cuts = new Map<string, number>()
  const losses: Record<Loss, number> = {
    'the answer never arrived': 0,
    'ended before its first store': 0,
    coverable: 0,
  }
  const count = (counts: Map<string, number>, name: string, by = 1) => counts.set(name, (counts.get(name) ?? 0) + by)
  return {
    /** Refreshes with at least one fault. */
    faulted: 0,
    /** Those of them while the rescue store was stopped. */
    withoutRescue: 0,
    /** Killed processes, and refreshes that ended with them. */
    kills: 0,
    cut: 0,
    parked: 0,
    recovered: 0,
    calls: 0,
    usedAfterSuccessor: 0,
    losses,
    strikes,
    cuts,
    /** Broken guarantees, each with a trace. */
    violations: [] as string[],
    struck: (joint: string, kind: string, times: number) => {
      if (times > 0) count(strikes, `${joint}|${kind}`, times)
    },
    cutAt: (where: string) => count(cuts, where),
  }
}

export type Tally = ReturnType<typeof createTally>
