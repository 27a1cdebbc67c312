import type { EpochMs } from './connection.ts'
import type { Runtime, WaitUntil } from './ports/runtime.ts'
import type { Timing } from './timing.ts'

interface SharedCall<Result> {
  result: Promise<Result>
  /** The generation that its owner saw: what it brings is newer. */
  generation: number
  startedAt: EpochMs
}

interface SingleFlightDeps {
  runtime: Pick<Runtime, 'now' | 'sleep'>
  /** A flight older than the deadline has lost its owner; who joins waits as for anybody's refresh. */
  timing(): Timing
}

/**
 * Refreshes under way in this isolate, so that requests for one connection share one. A promise may be shared between
 * requests only while its owner lives: the owner holds it by `ctx.waitUntil`, and who joins has a timer of his own.
 * That saves calls; the table keeps it correct.
 */
export function createSingleFlight<Result>({ runtime, timing }: SingleFlightDeps) {
  const inFlight = new Map<string, SharedCall<Result>>()

  return {
    /**
     * A flight that brings more than `generation`; `undefined`, at once, where there is none. Resolves to `undefined`
     * where it does not land in time, and rejects as it does.
     */
    join: (key: string, generation: number): Promise<Result | undefined> | undefined => {
      const sharedCall = inFlight.get(key)
      if (!sharedCall || sharedCall.generation < generation) return undefined
      if (runtime.now() - sharedCall.startedAt > timing().deadlineMs) return undefined
      return Promise.race([sharedCall.result, runtime.sleep(timing().waitMs).then(() => undefined)])
    },

    /** Begins a flight, owned by the request of `keepAlive`. */
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
