import type { Chance } from './chance.ts'
import type { Joint } from './joints.ts'

/** What goes wrong at one joint. Those of the table and those of Intuit have their names in common where they are the same. */
export type FaultKind =
  | 'throttle'
  | 'server error'
  | 'gateway page'
  | 'cut before'
  | 'cut after'
  | 'break'
  | 'hang'
  | 'hang after'
  | 'delay'
  | 'huge'
  | 'invalid_grant'

export interface PlannedFault {
  joint: Joint
  kind: FaultKind
  /** How often; until the world heals if `undefined`. */
  times: number | undefined
}

/** One refresh that goes wrong. */
export interface Plan {
  faults: PlannedFault[]
  /** Which Workers are asked, at once. */
  callers: number[]
  forced: boolean
  /** A table that is out for longer than a deadline leaves the pair parked alone, for the next one to find. */
  heals: 'once answered' | 'after the deadline'
  /** What goes wrong when the pair is found again. */
  later: PlannedFault | undefined
  isRescueOpen: boolean
}

const TABLE_KINDS = [
  ...(['throttle', 'server error', 'gateway page', 'cut before'] as const),
  ...(['cut after', 'break', 'hang', 'hang after', 'delay'] as const),
] as const satisfies [FaultKind, ...FaultKind[]]
const INTUIT_KINDS = [
  ...(['throttle', 'server error', 'gateway page', 'cut before', 'cut before'] as const),
  ...(['hang', 'delay', 'delay', 'huge', 'invalid_grant'] as const),
  // These lose the answer, and with a refresh that rotates its pair.
  ...(['cut after', 'break', 'hang after'] as const),
] as const satisfies [FaultKind, ...FaultKind[]]
const TABLE_JOINTS = ['read', 'claim', 'claim', 'store', 'store', 'store'] as const
const TIMES = [1, 1, 1, 2, 3, undefined] as const

const tableFault = (chance: Chance, joint: Joint): PlannedFault => ({
  ...{ joint, kind: chance.pick(TABLE_KINDS), times: chance.pick(TIMES) },
})

const planFaults = (chance: Chance): PlannedFault[] => {
  const which = chance.below(10)
  if (which < 6) return [tableFault(chance, chance.pick(TABLE_JOINTS))]
  if (which < 8) return [{ joint: 'intuit', kind: chance.pick(INTUIT_KINDS), times: 1 }]
  // Only a refresh that failed writes its failure, and only one that comes too late gives its lease back.
  if (which === 8) {
    const cause = chance.pick(['server error', 'invalid_grant'] as const)
    return [{ joint: 'intuit', kind: cause, times: 1 }, tableFault(chance, 'fail')]
  }
  return [tableFault(chance, chance.pick(TABLE_JOINTS)), tableFault(chance, chance.pick(TABLE_JOINTS))]
}

/** While the rescue store is closed no table stays out for a whole deadline: nobody could keep a pair then. */
const bearable = (fault: PlannedFault): PlannedFault =>
  fault.joint === 'store' && fault.kind.startsWith('hang') ? { ...fault, times: 1 } : fault

/** Chooses what goes wrong. */
export const planned = (chance: Chance, workers: number, isRescueOpen: boolean): Plan => {
  const chosen = planFaults(chance)
  const faults = isRescueOpen ? chosen : chosen.slice(0, 1).map(bearable)
  const outlasts = isRescueOpen && chance.odds(0.25) && faults.some(({ joint }) => joint === 'store')
  return {
    faults: outlasts
      ? faults.map((fault) => (fault.joint === 'store' ? { ...fault, times: undefined } : fault))
      : faults,
    callers: Array.from({ length: 1 + chance.below(3) }, () => chance.below(workers)),
    forced: chance.odds(0.2),
    heals: outlasts ? 'after the deadline' : 'once answered',
    later: outlasts && chance.odds(0.5) ? tableFault(chance, chance.pick(['claim', 'store'])) : undefined,
    isRescueOpen,
  }
}
