import type { EpochMs } from '../connection.ts'

/** The life of an access token. After that time, an older generation has no valid token. */
const ENTRY_LIFETIME_MS = 3_600_000
/** About 150 bytes each. */
const MAX_CONNECTIONS = 10_000

/**
 * The newest generation of each connection that this isolate has seen, so that a lagging replica never returns an older
 * token. The size is bounded. After an early eviction, an unknown generation counts as outdated until the evicted entry
 * would have expired.
 */
export function createGenerationWatermark(now: () => EpochMs) {
  const newest = new Map<string, { generation: number; until: EpochMs }>()
  let evictedUntil: EpochMs = 0

  const evictOldest = () => {
    const [oldest] = newest
    if (!oldest) return
    newest.delete(oldest[0])
    evictedUntil = oldest[1].until
  }

  return {
    add: (companyKey: string, generation: number): void => {
      const known = newest.get(companyKey)
      if (known && known.generation > generation && known.until > now()) return
      // Deleting first moves the entry to the end of the map, which is evicted last.
      newest.delete(companyKey)
      newest.set(companyKey, { generation, until: now() + ENTRY_LIFETIME_MS })
      if (newest.size > MAX_CONNECTIONS) evictOldest()
    },

    /** Whether a newer generation has, or may have, been seen. */
    isNewerThan: (companyKey: string, generation: number): boolean => {
      const known = newest.get(companyKey)
      return known ? known.generation > generation && known.until > now() : evictedUntil > now()
    },
  }
}
