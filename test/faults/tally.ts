import type { Loss } from './verdict.ts'

/** The figures of a run. */
export const newTally = () => {
  const strikes = new Map<string, number>()
  const cuts = new Map<string, number>()
  const losses: Record<Loss, number> = {
    'the answer never arrived': 0,
    'ended before its first store': 0,
    coverable: 0,
  }
  const count = (counts: Map<string, number>, name: string, by = 1) => counts.set(name, (counts.get(name) ?? 0) + by)
  return {
    /** Refreshes in which at least one fault struck. */
    faulted: 0,
    /** Those among them while the rescue store was closed. */
    withoutRescue: 0,
    /** Processes that were ended, and refreshes that ended with them. */
    kills: 0,
    cut: 0,
    parked: 0,
    recovered: 0,
    calls: 0,
    usedAfterSuccessor: 0,
    losses,
    strikes,
    cuts,
    /** What must not be, with a trace of each. */
    violations: [] as string[],
    struck: (joint: string, kind: string, times: number) => {
      if (times > 0) count(strikes, `${joint}|${kind}`, times)
    },
    cutAt: (where: string) => count(cuts, where),
  }
}

export type Tally = ReturnType<typeof newTally>
