import { describe, expect, it } from 'vitest'
import { simulateYear } from './year.ts'

describe('the keep-alive, over months and a whole fleet', () => {
  it('lets fail connection die of idleness, asks Intuit fail more than it may, and leaves the dead alone', async () => {
    const figures = await simulateYear({
      ...{
        connections: 1_000,
        days: 120,
        everySeconds: 3_600,
        refreshesPerRun: 12,
        inUse: 0.05,
        withdrawn: 0.02,
        seed: 1,
      },
    })
    expect(figures).toMatchObject({ expiredIdle: 0, superseded: 0, notRecovered: 0, withdrawn: 20 })
    expect(figures.mostUsesPerRun).toBeLessThanOrEqual(12)
    expect(figures.longestIdleDays).toBeLessThan(20)
    expect(figures.idleRefreshes).toBeGreaterThan(10_000)
    // Five over 24 hours, and one that found out.
    expect(figures.usesOfWithdrawn).toBeLessThanOrEqual(20 * 6)
  }, 120_000)

  it('would lose those that nobody asks for without it', async () => {
    const figures = await simulateYear({
      ...{ connections: 20, days: 120, everySeconds: 86_400, refreshesPerRun: 0, inUse: 0.5, withdrawn: 0, seed: 1 },
    })
    expect(figures.longestIdleDays).toBeGreaterThan(101)
  })
})
