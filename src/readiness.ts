import type { Runtime, WaitUntil } from './broker/ports/runtime.ts'
import { createSingleFlight } from './broker/single-flight.ts'
import { DEFAULT_TIMING } from './broker/timing.ts'
import { type Config, findConfigurationFaults } from './config/config.ts'

/** How long a result is cached. A monitor that asks every second causes one read in that time. */
const GOOD_FOR_MS = 10_000

interface ReadinessDeps {
  config: Config
  /** What is wrong with the table. `undefined`: nothing. */
  probe(): Promise<string | undefined>
  runtime: Pick<Runtime, 'now' | 'sleep'>
  /** Reports faults to the operator. */
  report(faults: string[]): void
}

/** What is wrong: names of variables, no values. Empty if nothing is. */
export type Readiness = (waitUntil: WaitUntil) => Promise<string[]>

/**
 * Checks the whole configuration, and the table with one read. Concurrent requests share the check.
 */
export function createReadiness({ config, probe, runtime, report }: ReadinessDeps): Readiness {
  const { now } = runtime
  // The defaults, as this answers where the timing is what is malformed.
  const looks = createSingleFlight<string[]>({ runtime, timing: () => DEFAULT_TIMING })
  let found: { faults: string[]; until: number } | undefined

  const look = async () => {
    const faults = findConfigurationFaults(config).map(({ text }) => `${text}.`)
    const table = config.storage.faults().length > 0 ? undefined : await probe()
    if (table !== undefined) faults.push(table)
    found = { faults, until: now() + GOOD_FOR_MS }
    if (faults.length > 0) report(faults)
    return faults
  }

  return async (waitUntil) => {
    if (found && now() < found.until) return found.faults
    const begin = () => looks.begin('all', 0, waitUntil, look)
    const shared = looks.join('all', 0)
    return shared === undefined ? begin() : ((await shared.catch(() => undefined)) ?? begin())
  }
}
