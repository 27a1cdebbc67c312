/** Random numbers from a seed, so that a run can be repeated (mulberry32). */
export const chance = (seed: number) => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (count: number) => Math.floor(next() * count)
  return {
    below,
    odds: (probability: number) => next() < probability,
    pick: <Value>(values: readonly [Value, ...Value[]]): Value => values[below(values.length)] ?? values[0],
    /** An independent sequence for a label. */
    fork: (label: number) => chance(seed ^ Math.imul(label + 1, 0x9e3779b1)),
  }
}

export type Chance = ReturnType<typeof chance>
