import type { Chance } from './chance.ts'
import type { Joint } from './joints.ts'

/** The kind of fault at one call, to the table or to Intuit. */
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
  /** The number of affected requests. `undefined`: all until the fault is lifted. */
  times: number | undefined
}

/** One refresh with faults. */
export interface Plan {
  faults: PlannedFault[]
  /** The Workers that receive simultaneous requests. */
  callers: number[]
  forced: boolean
  /** After an outage longer than the deadline, the token pair is only parked, and the next request finds it. */
  heals: 'once answered' | 'after the deadline'
  /** The fault of the request that finds the parked token pair. */
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
  // These lose the response, and a rotated token pair with it.
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
  // Only a failed refresh stores a failure.
  if (which === 8) {
    const cause = chance.pick(['server error', 'invalid_grant'] as const)
    return [{ joint: 'intuit', kind: cause, times: 1 }, tableFault(chance, 'fail')]
  }
  return [tableFault(chance, chance.pick(TABLE_JOINTS)), tableFault(chance, chance.pick(TABLE_JOINTS))]
}

/** Limits an outage of the table while the rescue store is stopped, because then no store could keep the token pair. */
const bearable = (fault: PlannedFault): PlannedFault =>
  fault.joint === 'store' && fault.kind.startsWith('hang') ? { ...fault, times: 1 } : fault

/** Chooses the faults of a refresh. */
export const createPlan = (chance: Chance, workers: number, isRescueOpen: boolean): Plan => {
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
