/** The value that half of all do not exceed. */
export const median = (values: readonly number[]): number => percentile(values, 50)

/** The nearest-rank percentile: the smallest value that at least `percent` of all do not exceed. */
export const percentile = (values: readonly number[], percent: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

/** What came out of several rounds: the median, and the quartiles that the middle half lies between. */
export interface Spread {
  median: number
  low: number
  high: number
}

export const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  low: percentile(values, 25),
  high: percentile(values, 75),
})

/** The ratio of each round's figure to the other's of the same round: what slows the machine for a while slows both. */
export const ratio = (of: readonly number[], to: readonly number[]): Spread =>
  spread(of.map((value, round) => value / (to[round] ?? Number.NaN)))
