import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { simulated } from './support/simulated.ts'

const RUNS = 300

describe('a refresh, in whatever order its steps run', () => {
  it('spends a token once for any number of callers, and gives each a valid token', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 2, max: 6 }),
        fc.boolean(),
        async (scheduler, callers, rotates) => {
          const world = simulated({ scheduler, rotates: () => rotates })
          const calls = Array.from({ length: callers }, () => world.worker().read())
          const answers = await scheduler.waitFor(Promise.all(calls))
          await world.settled()
          expect(world.intuit.presentations).toHaveLength(1)
          for (const answer of answers) expect(answer.accessToken).toBe('access-1')
          expect(world.stored()).toMatchObject({
            refreshTokenHash: `hash of ${world.intuit.current()}`,
            generation: 2,
            lease: undefined,
          })
        },
      ),
      { numRuns: RUNS },
    )
  })

  it('joins forced refreshes that are under way together', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 6 }), async (scheduler, callers) => {
        const world = simulated({ scheduler })
        const calls = Array.from({ length: callers }, () => world.worker().force())
        const answers = await scheduler.waitFor(Promise.all(calls))
        await world.settled()
        expect(world.intuit.isDead()).toBe(false)
        for (const answer of answers) expect(answer.accessToken).not.toBe('access-0')
        expect(world.stored()).toMatchObject({
          refreshTokenHash: `hash of ${world.intuit.current()}`,
          generation: 1 + world.intuit.presentations.length,
        })
      }),
      { numRuns: RUNS },
    )
  })

  it('never presents a superseded token and never loses a pair when steps of the table are lost, before or after', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom('none', 'none', 'none', 'lost before', 'lost after'), { minLength: 5, maxLength: 40 }),
        fc.array(fc.integer({ min: -10_000, max: 10_000 }), { minLength: 2, maxLength: 4 }),
        async (scheduler, faults, skews) => {
          const script = [...(faults as ('none' | 'lost before' | 'lost after')[])]
          const world = simulated({ scheduler, fault: () => script.shift() ?? 'none' })
          const calls = skews.map((skew) => world.worker(skew).read())
          await scheduler.waitFor(Promise.allSettled(calls))
          await world.settled()
          expect(world.intuit.isDead()).toBe(false)
          const lost = world.events.some(({ event }) => event === 'pair_not_stored')
          if (!lost) expect(world.stored()).toMatchObject({ refreshTokenHash: `hash of ${world.intuit.current()}` })
        },
      ),
      { numRuns: RUNS },
    )
  })
})
