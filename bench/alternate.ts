import { setTimeout as wait } from 'node:timers/promises'
import { cpuTimeMs } from './cpu-time.ts'
import { sendRequests, type Target } from './load.ts'

/** One program with one kind of request. The process must serve nothing else. */
export interface Case {
  name: string
  pid: number
  target: Target
  /** How many requests make a round. */
  requests: number
}

/** CPU time per request of a case in µs, one value per round. */
export type Figures = (name: string) => number[]

/** Longer than any timer that a request leaves behind. Milliseconds. */
const SETTLED_MS = 3_000

/**
 * Measures the cases in turn, round after round, every other round in reverse order. CPU time between two turns of a case
 * counts for its earlier turn, because work after a response is part of its cost. Warm-up requests do not count.
 */
export const measureAlternately = async (
  cases: readonly Case[],
  { rounds, warmUp }: { rounds: number; warmUp: number },
): Promise<Figures> => {
  for (const { target } of cases) await sendRequests(target, warmUp)
  await wait(SETTLED_MS)
  const samples = new Map(cases.map(({ name }) => [name, [] as number[]]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, pid, target, requests } of round % 2 === 0 ? cases : cases.toReversed()) {
      samples.get(name)?.push(cpuTimeMs(pid))
      await sendRequests(target, requests)
    }
  }
  await wait(SETTLED_MS)
  const figures = new Map(
    cases.map(({ name, pid, requests }) => {
      const ends = [...(samples.get(name) ?? []), cpuTimeMs(pid)]
      return [name, ends.slice(1).map((end, round) => ((end - (ends[round] ?? 0)) * 1000) / requests)]
    }),
  )
  return (name) => figures.get(name) ?? []
}
