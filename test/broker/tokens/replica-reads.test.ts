import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createGenerationWatermark } from '../../../src/broker/tokens/generation-watermark.ts'
import { createSimulation } from '../../support/simulated.ts'
import { inOrder } from '../../support/virtual-time.ts'

const RUNS = 300
const HOUR_MS = 3_600_000
const NOW = 1_790_000_000
const fresh = { accessTokenExpiresAt: NOW + 3000 }
/** Hands out one number after the other, over and over. */
const script = (numbers: number[]) => {
  let count = 0
  return () => numbers[count++ % numbers.length] ?? 0
}

describe('the newest generations that an isolate has seen', () => {
  const seeing = () => {
    const clock = { now: 0 }
    return { clock, ...createGenerationWatermark(() => clock.now) }
  }

  it('never go back, in whatever order they are noted', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 12 }), (generations) => {
        const { add, isNewerThan } = seeing()
        for (const generation of generations) add('beach', generation)
        const newest = Math.max(...generations)
        expect(isNewerThan('beach', newest)).toBe(false)
        expect(isNewerThan('beach', newest - 1)).toBe(true)
      }),
    )
  })

  it('say nothing of a connection that was not seen', () => {
    const { add, isNewerThan } = seeing()
    add('beach', 5)
    expect(isNewerThan('another', 1)).toBe(false)
  })

  it('are kept for as long as an older token may look fresh', () => {
    const { clock, add, isNewerThan } = seeing()
    add('beach', 5)
    clock.now = HOUR_MS - 1
    expect(isNewerThan('beach', 4)).toBe(true)
    clock.now = HOUR_MS
    expect(isNewerThan('beach', 4)).toBe(false)
    add('beach', 2)
    expect(isNewerThan('beach', 1)).toBe(true)
  })

  it('are bounded, and count what had to be forgotten too soon as newer', () => {
    const { clock, add, isNewerThan } = seeing()
    add('first', 5)
    clock.now = 1000
    for (let count = 0; count < 9_999; count++) add(`company-${count}`, 1)
    expect(isNewerThan('unknown', 1)).toBe(false)
    add('company-0', 1)
    add('company-9999', 1)
    expect(isNewerThan('first', 5)).toBe(true)
    expect(isNewerThan('unknown', 1)).toBe(true)
    expect(isNewerThan('company-0', 1)).toBe(false)
    clock.now = HOUR_MS
    expect(isNewerThan('unknown', 1)).toBe(false)
  })
})

describe('a token read near the caller', () => {
  it('asks the replica alone while what it holds is fresh, once for all that come together', async () => {
    const world = createSimulation({ scheduler: inOrder(), lag: () => 0 })
    world.seed(fresh)
    const one = world.worker()
    const answers = await world.outcomes(Array.from({ length: 20 }, () => one.read()))
    for (const answer of answers) expect(answer).toMatchObject({ value: { accessToken: 'access-0' } })
    expect(world.operations).toEqual(['near read'])
  })

  it('asks home with no-cache', async () => {
    const world = createSimulation({ scheduler: inOrder(), lag: () => 0 })
    world.seed(fresh)
    await world.outcomes([world.worker().readFromTable()])
    expect(world.operations).toEqual(['read'])
  })

  const undecided: [string, Parameters<ReturnType<typeof createSimulation>['seed']>[0]][] = [
    ['has run out', { accessTokenExpiresAt: NOW }],
    ['is inside the margin', { accessTokenExpiresAt: NOW + 300 }],
    ['is in the band before it', { accessTokenExpiresAt: NOW + 600 }],
    ['was erased', { accessToken: undefined }],
    ['is of no known life', { accessTokenExpiresAt: undefined }],
  ]
  it.each(undecided)('asks home about a token that %s', async (_, stale) => {
    const world = createSimulation({ scheduler: inOrder(), lag: () => 1 })
    world.seed(stale)
    world.seed({ ...fresh, accessToken: 'access_token sealed newer', generation: 2 })
    expect(await world.outcomes([world.worker().read()])).toMatchObject([{ value: { accessToken: 'newer' } }])
    expect(world.operations).toEqual(['near read', 'read'])
  })

  it('asks home about a record that has not arrived', async () => {
    const world = createSimulation({ scheduler: inOrder(), lag: () => 99 })
    world.seed(fresh)
    expect(await world.outcomes([world.worker().read()])).toMatchObject([{ value: { accessToken: 'access-0' } }])
    expect(world.operations).toEqual(['near read', 'read'])
  })

  it('asks home about a token that lives too short for the caller', async () => {
    const world = createSimulation({ scheduler: inOrder(), lag: () => 1 })
    world.seed({ accessTokenExpiresAt: NOW + 700 })
    world.seed({ ...fresh, generation: 2 })
    expect(await world.outcomes([world.worker().read(1800)])).toMatchObject([{ value: { connection: fresh } }])
    expect(world.operations).toEqual(['near read', 'read'])
  })

  it('asks home for good about what this isolate has refreshed, until the replica has it', async () => {
    const lag = { versions: 99 }
    const world = createSimulation({ scheduler: inOrder(), lag: () => lag.versions })
    world.seed(fresh)
    const one = world.worker()
    lag.versions = 0
    await world.outcomes([one.read()])
    await world.outcomes([one.force()])
    lag.versions = 2
    world.operations.length = 0
    expect(await world.outcomes([one.read()])).toMatchObject([{ value: { accessToken: 'access-1' } }])
    expect(world.operations).toEqual(['near read', 'read'])
    lag.versions = 0
    expect(await world.outcomes([one.read()])).toMatchObject([{ value: { accessToken: 'access-1' } }])
    expect(world.operations).toEqual(['near read', 'read', 'near read'])
  })

  it('refreshes once for any number of callers in any number of Workers, however old what each replica read shows', async () => {
    const lags = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 20 })
    const callers = fc.integer({ min: 2, max: 6 })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), lags, callers, fc.boolean(), async (scheduler, lag, count, rotates) => {
        const world = createSimulation({ scheduler, lag: script(lag), rotates: () => rotates })
        const answers = await world.outcomes(Array.from({ length: count }, () => world.worker().read()))
        expect(world.intuit.uses).toHaveLength(1)
        for (const answer of answers) expect(answer).toMatchObject({ value: { accessToken: 'access-1' } })
      }),
      { numRuns: RUNS },
    )
  })

  it('never leads a Worker’s callers back, nor to an expired token, nor to a second presentation', async () => {
    const setting = fc.record({
      lag: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 20 }),
      takes: fc.array(fc.constantFrom(0, 0, 0, 30, 300), { minLength: 1, maxLength: 20 }),
      cacheSeconds: fc.constantFrom(0, 0, 10),
      plans: fc.array(fc.array(fc.constantFrom('read', 'read', 'read', 'force', 'pause'), { maxLength: 6 }), {
        minLength: 2,
        maxLength: 5,
      }),
    })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), setting, async (scheduler, { lag, takes, cacheSeconds, plans }) => {
        const world = createSimulation({
          ...{ scheduler, lag: script(lag), takes: script(takes), cacheSeconds: () => cacheSeconds },
        })
        world.seed(fresh)
        const workers = [world.worker(), world.worker()]
        const newest = [0, 0]
        const calls = plans.map(async (plan, index) => {
          const at = index % 2
          const worker = workers[at] ?? world.worker()
          for (const step of plan) {
            if (step === 'pause') {
              await world.later(20_000, async () => undefined)
              continue
            }
            const floor = newest[at] ?? 0
            const { connection } = await (step === 'force' ? worker.force() : worker.read())
            expect(connection.generation).toBeGreaterThanOrEqual(floor)
            expect(connection.accessTokenExpiresAt).toBeGreaterThan(NOW + 300)
            newest[at] = Math.max(newest[at] ?? 0, connection.generation)
          }
        })
        for (const outcome of await world.outcomes(calls)) {
          if (outcome?.status === 'rejected') throw outcome.reason
          expect(outcome).toBeDefined()
        }
        expect(world.following).toEqual([])
        expect(world.intuit.isDead()).toBe(false)
      }),
      { numRuns: RUNS },
    )
  })
})
