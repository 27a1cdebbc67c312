import type { Step } from './explore.ts'
import { excuse, finished, type Holder, isRotated, isUnderWay, type State, toName, withHolder } from './state.ts'

/** Whether a crash now loses a token pair that no protocol could save. */
const diesTooEarly = ({ at, pair, parked }: Holder) =>
  pair !== undefined && isRotated(pair) && (at === 'store' || at === 'park' || (at === 'retry' && parked === 'failed'))

/** Crashes a Worker. Its messages under way continue. */
export const crash = (state: State, by: number, holder: Holder): Step<State>[] => {
  const isWorthIt = isUnderWay(holder) && !(holder.at === 'claim' && state.record.leaseOwner !== by)
  if (state.crashes === 0 || !isWorthIt) return []
  const lost = state.tokenUses.some((one) => one.by === by && one.pair && isRotated(one.pair))
  const tokenUses = state.tokenUses.flatMap((one) =>
    one.by !== by ? [one] : one.verdict === 'none' ? [{ ...one, awaited: false }] : [],
  )
  const excused = lost || diesTooEarly(holder) ? excuse(state, holder.used) : state
  const dead = withHolder({ ...excused, crashes: state.crashes - 1, tokenUses }, by, {
    ...finished(state, by).holders[by],
    at: 'crashed',
  })
  return [{ label: `${toName(by)} crashes`, next: dead }]
}
