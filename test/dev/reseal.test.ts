import { describe, expect, it } from 'vitest'
import { createPace } from '../../dev/reseal/pace.ts'
import { createProgress, formatProgress } from '../../dev/reseal/progress.ts'
import { createTally } from '../../dev/reseal/tally.ts'

const tally = (reencrypted: number) => ({ ...createTally(), reencrypted })

describe('the progress of keys:reseal', () => {
  it('shows count, rate and time left', () => {
    const shown = (done: number, total: number | undefined, elapsedMs: number) =>
      formatProgress({ tally: tally(done), total, elapsedMs })
    expect(shown(1_000, 10_000, 4_000)).toBe('1000 of about 10000, 250 a second, 36 s left')
    expect(shown(1_000, 100_000, 4_000)).toBe('1000 of about 100000, 250 a second, 7 min left')
    expect(shown(1_000, undefined, 4_000)).toBe('1000, 250 a second')
    // DynamoDB's count can be hours old.
    expect(shown(12_000, 10_000, 4_000)).toBe('12000 of about 12000, 3000 a second, 0 s left')
    expect(shown(0, 10, 0)).toBe('0 of about 10, 0 a second')
  })

  it('redraws one line on a terminal, and writes a line every ten seconds elsewhere', () => {
    const shownOn = (isTTY: boolean) => {
      let now = 0
      const written: string[] = []
      const progress = createProgress({ isTTY, write: (text) => written.push(text) }, 100, () => now)
      for (let done = 1; done <= 100; done++) {
        now += 250
        progress.show(tally(done))
      }
      progress.clear()
      return written
    }
    const terminal = shownOn(true)
    expect(terminal).toHaveLength(101)
    for (const text of terminal) expect(text).toMatch(/^\r/)
    expect(terminal.join('')).not.toContain('\n')
    const lines = shownOn(false)
    expect(lines).toEqual(['40 of about 100, 4 a second, 15 s left\n', '80 of about 100, 4 a second, 5 s left\n'])
  })
})

describe('the pace of keys:reseal', () => {
  class Throttled extends Error {
    override name = 'ThrottlingException'
  }

  it('adapts to the capacity of the table, up to its limit', async () => {
    for (const capacity of [1, 3, 100]) {
      let active = 0
      let most = 0
      let throttled = 0
      const pace = createPace({ atMost: 8, signal: undefined, sleep: async () => undefined })
      const request = async () => {
        active++
        most = Math.max(most, active)
        const isOver = active > capacity
        await new Promise((resolve) => setImmediate(resolve))
        active--
        if (isOver) throttled++
        if (isOver) throw new Throttled()
      }
      await Promise.all(Array.from({ length: 200 }, () => pace.run(request)))
      expect(most).toBeLessThanOrEqual(8)
      if (capacity >= 8) expect(throttled).toBe(0)
    }
  })

  it('gives up on a table that keeps throttling, and retries no other error', async () => {
    const pauses: number[] = []
    const pace = createPace({ atMost: 4, signal: undefined, sleep: async (ms) => pauses.push(ms) })
    await expect(pace.run(() => Promise.reject(new Throttled()))).rejects.toThrow(Throttled)
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(100_000)
    expect(pace.limit()).toBe(1)
    pauses.length = 0
    await expect(pace.run(() => Promise.reject(new Error('another')))).rejects.toThrow('another')
    expect(pauses).toEqual([])
  })
})
