import type { SeenRequest } from '../support/fault-orders.ts'
import { SCALED } from './scale.ts'

/**
 * Why a connection was lost. The first two are what no broker can cover: Intuit fences nothing, and what reached no
 * living Worker, or died with it before it was stored or parked, nobody has. The third is ours.
 */
export type Loss = 'the answer never arrived' | 'ended before its first store' | 'coverable'

type Timed = Pick<SeenRequest, 'delivered' | 'startedAt' | 'endedAt'>

interface Evidence {
  /** The refreshes in which Intuit gave the token that it holds for the living one. */
  births: Timed[]
  /** Whether the table took that token at some time. */
  wasStored: boolean
  /** When the Worker ended that was refreshing, if it did, and whether the pair was parked then. */
  ended: { at: number; parked: boolean } | undefined
}

const tookLonger = ({ startedAt, endedAt }: Timed, ms: number) => endedAt === undefined || endedAt - startedAt > ms

/** Whether Intuit took so long that the caller may not have waited, as on a machine that stood still. */
export const cameLate = (seen: Timed): boolean => tookLonger(seen, (SCALED.intuitMs * 3) / 4)

/** Whether Intuit took so long that the Worker may no longer have listened: nobody but the Worker knows when it gave up. */
const wasUnheard = (seen: Timed): boolean => tookLonger(seen, (SCALED.deadlineMs * 3) / 4)

/** Judges a loss by what was recorded; whatever cannot be shown to be beyond us counts as ours. */
export const classifyLoss = ({ births, wasStored, ended }: Evidence): Loss => {
  if (wasStored || births.length === 0) return 'coverable'
  const arrived = births.filter((birth) => birth.delivered && !wasUnheard(birth))
  if (arrived.length === 0) return 'the answer never arrived'
  const diedWithIt = ended !== undefined && !ended.parked && arrived.every(({ startedAt }) => startedAt < ended.at)
  return diedWithIt ? 'ended before its first store' : 'coverable'
}
