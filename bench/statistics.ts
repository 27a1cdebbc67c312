/** The nearest-rank percentile: the smallest value that is at least as large as `percent` percent of all values. */
export const percentile = (values: readonly number[], percent: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 50)

/** The median of several rounds, the quartiles around it, and the extremes. */
export interface Spread {
  min: number
  low: number
  median: number
  high: number
  max: number
}

export const toSpread = (values: readonly number[]): Spread => ({
  min: percentile(values, 0),
  low: percentile(values, 25),
  median: median(values),
  high: percentile(values, 75),
  max: percentile(values, 100),
})

/** Compares round by round, so that a slow phase of the machine affects both sides of a ratio. */
export const toRatio = (values: readonly number[], to: readonly number[]): Spread =>
  toSpread(values.map((value, round) => value / (to[round] ?? Number.NaN)))
