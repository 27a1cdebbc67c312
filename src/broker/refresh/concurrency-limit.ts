import type { EpochMs } from '../connection.ts'
import { refreshInProgress, storeIsBusy } from '../errors.ts'
import type { Runtime } from '../ports/runtime.ts'
import { jitter } from '../retry.ts'
import type { Timing } from '../timing.ts'

/**
 * The most refreshes in flight in one isolate, from the lease to the stored token pair. A table that starts to throttle gets
 * no more stores than this at once. At eight writes a second, they take four of the twenty seconds that they have.
 */
const MOST_UNDER_WAY = 32
const PAUSE_MS = 50

interface RefreshLimitDeps {
  runtime: Runtime
  timing(): Timing
}

/**
 * Counts promises that have not settled. A promise whose request was cancelled never settles: it counts until its lease
 * has ended.
 */
function unsettled({ runtime, timing }: RefreshLimitDeps) {
  const begun = new Map<symbol, EpochMs>()
  return {
    add(promise: Promise<unknown>): void {
      const id = Symbol()
      const remove = () => begun.delete(id)
      begun.set(id, runtime.now())
      promise.then(remove, remove)
    },
    count(): number {
      const oldest = runtime.now() - timing().leaseMs
      for (const [id, at] of begun) if (at < oldest) begun.delete(id)
      return begun.size
    },
  }
}

/**
 * Limits what one isolate can lose. Stores have priority over new leases: a refresh that starts while a token pair waits for
 * the table takes the writes that this pair needs, and rotates another token that has to wait as well.
 */
export function createRefreshLimit(deps: RefreshLimitDeps) {
  const { runtime } = deps
  const mayBePending = unsettled(deps)
  const atRisk = unsettled(deps)
  const isPairAtRisk = () => atRisk.count() > 0

  return {
    /** Counts a refresh, or the store that continues after it. */
    add: mayBePending.add,

    /** Counts a token pair whose first write failed, until it is stored or parked. */
    addAtRisk: atRisk.add,
    isPairAtRisk,

    /**
     * Runs a refresh when the limit allows it. Throws `refresh_in_progress` or `storage_unavailable` if that takes too
     * long.
     */
    run: async <Result>(giveUpAt: EpochMs, refresh: () => Promise<Result>): Promise<Result> => {
      for (;;) {
        if (isPairAtRisk()) throw storeIsBusy()
        if (mayBePending.count() < MOST_UNDER_WAY) break
        if (runtime.now() > giveUpAt) throw refreshInProgress(1)
        await runtime.sleep(jitter(PAUSE_MS, runtime))
      }
      const running = refresh()
      mayBePending.add(running)
      return running
    },
  }
}

export type RefreshLimit = ReturnType<typeof createRefreshLimit>
