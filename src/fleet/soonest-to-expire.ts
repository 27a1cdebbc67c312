import type { IndexedConnection } from './ports.ts'

/** Keeps the connections that expire soonest, so many at the most, and counts all. */
export function createSoonest(limit: number) {
  const kept: IndexedConnection[] = []
  let count = 0

  /** After those that expire at the same time, so that the first one found stays first. */
  const positionFor = (diesAt: number) => {
    let [low, high] = [0, kept.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((kept[middle]?.place.diesAt ?? Number.POSITIVE_INFINITY) <= diesAt) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    add(indexed: IndexedConnection): void {
      count++
      const position = positionFor(indexed.place.diesAt)
      if (position >= limit) return
      kept.splice(position, 0, indexed)
      if (kept.length > limit) kept.pop()
    },
    count: () => count,
    /** Soonest to expire first. */
    kept: (): readonly IndexedConnection[] => kept,
  }
}
