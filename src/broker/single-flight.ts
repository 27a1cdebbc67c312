import type { EpochMs } from './connection.ts'
import type { Runtime, WaitUntil } from './ports/runtime.ts'
import type { Timing } from './timing.ts'

interface SharedCall<Result> {
  result: Promise<Result>
  /** The generation that its owner has read. The result is newer. */
  generation: number
  startedAt: EpochMs
}

interface SingleFlightDeps {
  runtime: Pick<Runtime, 'now' | 'sleep'>
  /**
   * A call that is older than the deadline has lost its owner. A request that joins waits as long as for any other
   * refresh.
   */
  timing(): Timing
}

/**
 * Lets requests of one isolate share a refresh of the same connection. workerd shares a promise between requests only while
 * its owner lives. So the owner keeps it alive with `ctx.waitUntil`, and each request that joins has its own timer. This
 * saves calls; conditional writes keep the result correct.
 */
export function createSingleFlight<Result>({ runtime, timing }: SingleFlightDeps) {
  const inFlight = new Map<string, SharedCall<Result>>()

  return {
    /**
     * A call in flight whose result is newer than `generation`. Returns `undefined` if there is none. Resolves to
     * `undefined` if the call does not end in time, and rejects if the call does.
     */
    join: (key: string, generation: number): Promise<Result | undefined> | undefined => {
      const sharedCall = inFlight.get(key)
      if (!sharedCall || sharedCall.generation < generation) return undefined
      if (runtime.now() - sharedCall.startedAt > timing().deadlineMs) return undefined
      return Promise.race([sharedCall.result, runtime.sleep(timing().waitMs).then(() => undefined)])
    },

    /** Starts a call that other requests can join. The request of `waitUntil` owns it. */
    begin: (
      key: string,
      generation: number,
      waitUntil: WaitUntil,
      operation: () => Promise<Result>,
    ): Promise<Result> => {
      const result = operation()
      const sharedCall = { result, generation, startedAt: runtime.now() }
      inFlight.set(key, sharedCall)
      const settled = () => {
        if (inFlight.get(key) === sharedCall) inFlight.delete(key)
      }
      waitUntil(result.then(settled, settled))
      return result
    },
  }
}
