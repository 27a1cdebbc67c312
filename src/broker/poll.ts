import type { EpochMs } from './connection.ts'
import type { Runtime } from './ports/runtime.ts'
import { jitter } from './retry.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 250

/**
 * Calls `read` until it finds what another request stores. Resolves to `undefined` at `giveUpAt`. A failed read is repeated
 * like one that finds nothing.
 */
export async function pollUntil<Found>(
  read: () => Promise<Found | undefined>,
  giveUpAt: EpochMs,
  clock: Pick<Runtime, 'now' | 'sleep' | 'random'>,
): Promise<Found | undefined> {
  for (let pause = FIRST_PAUSE_MS; clock.now() < giveUpAt; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    await clock.sleep(jitter(pause, clock))
    const found = await read().catch(() => undefined)
    if (found !== undefined) return found
  }
  return undefined
}
