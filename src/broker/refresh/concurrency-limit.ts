import type { EpochMs } from '../connection.ts'
import { refreshInProgress, storesComeFirst } from '../errors.ts'
import type { Runtime } from '../ports/runtime.ts'
import { jitter } from '../retry.ts'
import type { Timing } from '../timing.ts'

/**
 * How many refreshes one isolate has under way, from the lease to the stored pair. A table that begins to throttle meets
 * no more stores than this at once. At eight writes a second, these take four of the twenty seconds that they have.
 */
const MOST_UNDER_WAY = 32
const PAUSE_MS = 50

interface RefreshLimitDeps {
  runtime: Runtime
  timing(): Timing
}

/** Promises that have not settled yet. One whose request was cancelled never does: it counts until its lease is over. */
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
 * Bounds what one isolate may lose. Stores come before new leases: a refresh that begins while a token pair waits for
 * the table takes the writes that this pair needs, and rotates another token that then waits, too.
 */
export function createRefreshLimit(deps: RefreshLimitDeps) {
  const { runtime } = deps
  const mayBePending = unsettled(deps)
  const atRisk = unsettled(deps)
  const isPairAtRisk = () => atRisk.count() > 0

  return {
    /** A refresh, or the store that goes on after it. */
    add: mayBePending.add,

    /** A rotated pair, or one of a consent, whose first write failed, until it is stored or parked. */
    addAtRisk: atRisk.add,
    isPairAtRisk,

    /** Runs a refresh once there is room. Throws `refresh_in_progress` or `storage_unavailable` where there is none in time. */
    run: async <Result>(giveUpAt: EpochMs, refresh: () => Promise<Result>): Promise<Result> => {
      for (;;) {
        if (isPairAtRisk()) throw storesComeFirst()
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
