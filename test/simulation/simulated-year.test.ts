import { describe, expect, it } from 'vitest'
import { simulateYear } from './year.ts'

describe('the idle refresh of a fleet over months', () => {
  it('lets no connection expire, stays within its limit of calls to Intuit, and leaves withdrawn connections alone', async () => {
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
    // Five refreshes over 24 hours, after the one that failed first.
    expect(figures.usesOfWithdrawn).toBeLessThanOrEqual(20 * 6)
  }, 120_000)

  it('prevents the expiry of unused connections, which the same fleet without it shows', async () => {
    const figures = await simulateYear({
      ...{ connections: 20, days: 120, everySeconds: 86_400, refreshesPerRun: 0, inUse: 0.5, withdrawn: 0, seed: 1 },
    })
    expect(figures.longestIdleDays).toBeGreaterThan(101)
  })
})
