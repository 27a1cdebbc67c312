import { startService } from '../support/worker-harness.ts'
import { connectCompany } from './company.ts'

const WORKERS = 3
const CALLERS = 60
const ROUNDS = 40
const INTUIT_TAKES_MS = 300

export interface Waiting {
  callers: number
  rounds: number
  /** Time to the first response, which is that of the lease holder. All times are in milliseconds. */
  holderMedian: number
  /** How much later the other responses arrive. */
  p50: number
  p99: number
  longest: number
}

const at = (sorted: number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
const ascending = (values: number[]) => [...values].sort((one, other) => one - other)

/** Measures how long callers wait for a refresh under another lease: simultaneous reads of an expired token on three Workers. */
export const measureWaiters = async (): Promise<Waiting> => {
  const service = await startService({ workers: WORKERS, vars: { TOKEN_CACHE_SECONDS: '0' } })
  try {
    await service.intuit.turn({ tokenDelayMs: INTUIT_TAKES_MS })
    const company = await connectCompany(service, 'beach-blend', '1000')
    const holders: number[] = []
    const behind: number[] = []
    for (let round = 0; round <= ROUNDS; round++) {
      await company.expire()
      const began = performance.now()
      const timed = async (_: unknown, index: number) => {
        const { status } = await company.read(index % WORKERS)
        if (status !== 200) throw new Error(`A waiter got ${status}.`)
        return performance.now() - began
      }
      const [holder = 0, ...others] = ascending(await Promise.all(Array.from({ length: CALLERS }, timed)))
      // The first round only opens the connections.
      if (round === 0) continue
      holders.push(holder)
      behind.push(...others.map((time) => time - holder))
    }
    const sorted = ascending(behind)
    const longest = sorted.at(-1) ?? 0
    const holderMedian = at(ascending(holders), 0.5)
    return { callers: CALLERS, rounds: ROUNDS, holderMedian, p50: at(sorted, 0.5), p99: at(sorted, 0.99), longest }
  } finally {
    await service.close()
  }
}
