import type { IndexedConnection } from './ports.ts'

/** Where to insert: after the connections that expire at the same time, so that the first one found stays first. */
function findPosition(sorted: readonly IndexedConnection[], diesAt: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle]?.place.diesAt ?? Number.POSITIVE_INFINITY) <= diesAt) low = middle + 1
    else high = middle
  }
  return low
}

/** Collects the `limit` connections that expire soonest, and counts all. */
export function createSoonestToExpire(limit: number) {
  const sorted: IndexedConnection[] = []
  let count = 0
  return {
    add(indexed: IndexedConnection): void {
      count++
      const position = findPosition(sorted, indexed.place.diesAt)
      if (position >= limit) return
      sorted.splice(position, 0, indexed)
      if (sorted.length > limit) sorted.pop()
    },
    /** Number of all connections that were added. */
    count: () => count,
    /** Soonest to expire first. */
    connections: (): readonly IndexedConnection[] => sorted,
  }
}
