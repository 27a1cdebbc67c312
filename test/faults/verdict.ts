import type { SeenRequest } from '../support/fault-orders.ts'
import { SCALED } from './scale.ts'

/**
 * Why a connection was lost. No broker can prevent the first two, because Intuit offers no fencing: the token pair reached
 * no Worker, or the Worker was killed before it stored or parked the pair. The third is a fault of the broker.
 */
export type Loss = 'the answer never arrived' | 'ended before its first store' | 'coverable'

type Timed = Pick<SeenRequest, 'delivered' | 'startedAt' | 'endedAt'>

interface Evidence {
  /** The refreshes in which Intuit issued its current token. */
  births: Timed[]
  /** Whether that token was ever stored. */
  wasStored: boolean
  /** When the refreshing Worker was killed, if it was, and whether the token pair was parked by then. */
  ended: { at: number; parked: boolean } | undefined
}

const tookLonger = ({ startedAt, endedAt }: Timed, ms: number) => endedAt === undefined || endedAt - startedAt > ms

/** Whether Intuit took so long that the caller may not have waited, for example on a busy machine. */
export const cameLate = (seen: Timed): boolean => tookLonger(seen, (SCALED.intuitMs * 3) / 4)

/** Whether Intuit took so long that the Worker may have given up. The Worker does not report when it did. */
const wasUnheard = (seen: Timed): boolean => tookLonger(seen, (SCALED.deadlineMs * 3) / 4)

/** Classifies a loss by the recorded requests. A loss without proof of another cause counts as a fault of the broker. */
export const classifyLoss = ({ births, wasStored, ended }: Evidence): Loss => {
  if (wasStored || births.length === 0) return 'coverable'
  const arrived = births.filter((birth) => birth.delivered && !wasUnheard(birth))
  if (arrived.length === 0) return 'the answer never arrived'
  const diedWithIt = ended !== undefined && !ended.parked && arrived.every(({ startedAt }) => startedAt < ended.at)
  return diedWithIt ? 'ended before its first store' : 'coverable'
}
