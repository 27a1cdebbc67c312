import type { EpochMs } from './connection.ts'
import type { Surroundings, WaitUntil } from './ports.ts'
import type { Timing } from './timing.ts'

interface Flight<Result> {
  result: Promise<Result>
  /** The generation that its owner saw: what it brings is newer. */
  generation: number
  startedAt: EpochMs
}

interface FlightsParts {
  surroundings: Pick<Surroundings, 'now' | 'sleep'>
  /** A flight older than the deadline has lost its owner; who joins waits as for anybody's refresh. */
  timing(): Timing
}

/**
 * Refreshes under way in this isolate, so that requests for one connection share one. A promise may be shared between
 * requests only while its owner lives: the owner holds it by `ctx.waitUntil`, and who joins has a timer of his own.
 * That saves calls; the table keeps it correct.
 */
export function flights<Result>({ surroundings, timing }: FlightsParts) {
  const flying = new Map<string, Flight<Result>>()

  return {
    /**
     * A flight that brings more than `generation`; `undefined`, at once, where there is none. Resolves to `undefined`
     * where it does not land in time, and rejects as it does.
     */
    join: (key: string, generation: number): Promise<Result | undefined> | undefined => {
      const flight = flying.get(key)
      if (!flight || flight.generation < generation) return undefined
      if (surroundings.now() - flight.startedAt > timing().deadlineMs) return undefined
      return Promise.race([flight.result, surroundings.sleep(timing().waitMs).then(() => undefined)])
    },

    /** Begins a flight, owned by the request of `keepAlive`. */
    begin: (key: string, generation: number, waitUntil: WaitUntil, fly: () => Promise<Result>): Promise<Result> => {
      const result = fly()
      const flight = { result, generation, startedAt: surroundings.now() }
      flying.set(key, flight)
      const landed = () => {
        if (flying.get(key) === flight) flying.delete(key)
      }
      waitUntil(result.then(landed, landed))
      return result
    },
  }
}
