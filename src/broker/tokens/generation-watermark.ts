import type { EpochMs } from '../connection.ts'

/** As long as Intuit's access tokens live: once a newer generation has been stored for that long, an older one is no longer fresh. */
const KEPT_MS = 3_600_000
/** Some 150 bytes each. */
const MAX_CONNECTIONS = 10_000

/**
 * The newest generation of each connection that this isolate has seen, so that a read of a lagging replica never leads
 * a caller back. Bounded: where one had to be forgotten too soon, what is not known counts as behind until it is past.
 */
export function createGenerationWatermark(now: () => EpochMs) {
  const newest = new Map<string, { generation: number; until: EpochMs }>()
  let forgottenUntil: EpochMs = 0

  const forgetOldest = () => {
    const [oldest] = newest
    if (!oldest) return
    newest.delete(oldest[0])
    forgottenUntil = oldest[1].until
  }

  return {
    note: (companyKey: string, generation: number): void => {
      const known = newest.get(companyKey)
      if (known && known.generation > generation && known.until > now()) return
      // The last one in is the last one to go.
      newest.delete(companyKey)
      newest.set(companyKey, { generation, until: now() + KEPT_MS })
      if (newest.size > MAX_CONNECTIONS) forgetOldest()
    },

    /** Whether a newer generation has, or may have, been seen. */
    isNewerThan: (companyKey: string, generation: number): boolean => {
      const known = newest.get(companyKey)
      return known ? known.generation > generation && known.until > now() : forgottenUntil > now()
    },
  }
}
