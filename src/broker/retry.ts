import type { EpochMs } from './connection.ts'
import type { Runtime } from './ports/runtime.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000
/**
 * The longest pause before a token pair is written again. It is shorter than the pauses of other writes, so that token
 * pairs come first if the table throttles.
 */
export const STORE_PAUSE_MS = 250

type Clock = Pick<Runtime, 'now' | 'sleep' | 'random'>

/** Between half the time and all of it, so that requests that wait for the same thing do not return together. */
export function jitter(milliseconds: number, { random }: Clock): number {
  return milliseconds * (0.5 + random() / 2)
}

/**
 * Calls `attempt` at once, and again after pauses that grow to `longestPauseMs`, until it no longer throws. Resolves to its
 * value, or to `undefined` after the deadline. Calls `onFailure` after each failed attempt.
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
