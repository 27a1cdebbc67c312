import type { Config } from './config.ts'
import { Problem } from './problem.ts'

/** How long a finding is good for: whoever asks every second costs no more than a read in that time. */
const GOOD_FOR_MS = 10_000

interface ReadinessParts {
  config: Config
  /** What is wrong with the table; `undefined`: nothing. Takes the time in seconds. */
  probe(now: number): Promise<string | undefined>
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Receives each finding that something is wrong, for the operator's eyes. */
  report(faults: string[]): void
}

/** What is wrong, by the names of variables and without a value; empty where all is right. */
export type Readiness = () => Promise<string[]>

function faultOf(settings: () => unknown): string[] {
  try {
    settings()
    return []
  } catch (error) {
    if (error instanceof Problem) return [error.message]
    throw error
  }
}

/** Whether everything is there that the service needs: the whole configuration, and the table, by one read. */
export function readiness({ config, probe, now, report }: ReadinessParts): Readiness {
  let found: { faults: string[]; until: number } | undefined

  const look = async () => {
    // One key pair is enough: `clients` judges the two together.
    const { production: _, sandbox: __, ...parts } = config
    const faults = Object.values(parts).flatMap((part: () => unknown) => faultOf(part))
    const table = faultOf(config.storage).length > 0 ? undefined : await probe(Math.floor(now() / 1000))
    return [...faults, ...(table === undefined ? [] : [table])]
  }

  return async () => {
    if (found && now() < found.until) return found.faults
    const faults = await look()
    found = { faults, until: now() + GOOD_FOR_MS }
    if (faults.length > 0) report(faults)
    return faults
  }
}
