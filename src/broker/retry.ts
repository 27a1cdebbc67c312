import type { EpochMs } from './connection.ts'
import type { Surroundings } from './ports.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

type Clock = Pick<Surroundings, 'now' | 'sleep' | 'random'>

/** Half the length to the whole of it, so that those who wait for the same thing do not come back together. */
export function jittered(milliseconds: number, { random }: Clock): number {
  return milliseconds * (0.5 + random() / 2)
}

/**
 * Tries at once, and again after pauses that grow to a second, until `attempt` no longer throws. Resolves to its value,
 * or to `undefined` once the deadline has passed. `onFailure` hears of each failed attempt.
 */
export async function retriedUntil<Result>(
  attempt: () => Promise<Result>,
  deadline: EpochMs,
  clock: Clock,
  onFailure: () => void = () => undefined,
): Promise<{ value: Result } | undefined> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return { value: await attempt() }
    } catch {
      onFailure()
    }
    if (clock.now() + pause >= deadline) return undefined
    await clock.sleep(jittered(pause, clock))
  }
}
