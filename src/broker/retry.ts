import type { EpochMs } from './connection.ts'
import type { Runtime } from './ports/runtime.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000
/**
 * For the store of a token pair, which must come before everything else: a new lease is asked for at pauses of a second
 * and more where the table throttles.
 */
export const STORE_PAUSE_MS = 250

type Clock = Pick<Runtime, 'now' | 'sleep' | 'random'>

/** Half the length to the whole of it, so that those who wait for the same thing do not come back together. */
export function jitter(milliseconds: number, { random }: Clock): number {
  return milliseconds * (0.5 + random() / 2)
}

/**
 * Tries at once, and again after pauses that grow to `longestPauseMs`, until `attempt` no longer throws. Resolves to its value,
 * or to `undefined` once the deadline has passed. `onFailure` hears of each failed attempt.
 */
export async function retryUntil<Result>(
  attempt: () => Promise<Result>,
  deadline: EpochMs,
  clock: Clock,
  onFailure: () => void = () => undefined,
  longestPauseMs = LONGEST_PAUSE_MS,
): Promise<{ value: Result } | undefined> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, longestPauseMs)) {
    try {
      return { value: await attempt() }
    } catch {
      onFailure()
    }
    if (clock.now() + pause >= deadline) return undefined
    await clock.sleep(jitter(pause, clock))
  }
}
