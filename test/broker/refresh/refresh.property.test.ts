import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSimulation, type StepFault } from '../../support/simulated.ts'
import { inOrder } from '../../support/virtual-time.ts'

const RUNS = 300
const REQUIRED_ROUNDS = 12

const callers = fc.integer({ min: 2, max: 6 })
const skew = fc.integer({ min: -10_000, max: 10_000 })
/** Most steps take no time, some take longer than others wait between two looks. */
const latencies = fc.array(fc.constantFrom(0, 0, 0, 0, 30, 300, 1_500), { minLength: 1, maxLength: 60 })
const stepFaults = fc.array(fc.constantFrom<StepFault>('none', 'none', 'none', 'lost before', 'lost after'), {
  minLength: 1,
  maxLength: 60,
})
const crashes = fc.array(fc.option(fc.integer({ min: 1, max: 14 }), { nil: undefined }), { minLength: 6, maxLength: 6 })

/** Hands out one value after the other, and `rest` when they are used up. */
const script = <Value>(values: Value[], rest: Value) => {
  const left = [...values]
  return () => left.shift() ?? rest
}

/** The token that lives is in the record, or parked for the one that is. */
const expectNothingLost = (world: ReturnType<typeof createSimulation>) => {
  expect(world.intuit.isDead()).toBe(false)
  const living = `hash of ${world.intuit.current()}`
  const stored = world.stored()?.refreshTokenHash
  const parked = world.parked.get(`beach ${stored}`)?.pair.refreshTokenHash
  expect([stored, parked]).toContain(living)
}

describe('a refresh, in whatever order its steps run', () => {
  it('uses a token once for any number of callers, and gives each a valid token', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), callers, latencies, fc.boolean(), async (scheduler, count, takes, rotates) => {
        const world = createSimulation({ scheduler, takes: script(takes, 0), rotates: () => rotates })
        const answers = await world.outcomes(Array.from({ length: count }, () => world.worker().read()))
        expect(world.intuit.uses).toHaveLength(1)
        for (const answer of answers) expect(answer).toMatchObject({ value: { accessToken: 'access-1' } })
        expect(world.stored()).toMatchObject({ generation: 2, lease: undefined })
        expectNothingLost(world)
      }),
      { numRuns: RUNS },
    )
  })

  it('shares one refresh among the callers of one Worker', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), callers, latencies, async (scheduler, count, takes) => {
        const world = createSimulation({ scheduler, takes: script(takes, 0) })
        const one = world.worker()
        const answers = await world.outcomes(Array.from({ length: count }, () => one.read()))
        expect(world.intuit.uses).toHaveLength(1)
        for (const answer of answers) expect(answer).toMatchObject({ value: { accessToken: 'access-1' } })
      }),
      { numRuns: RUNS },
    )
  })

  it('claims once for all the callers of one Worker that come together', async () => {
    const world = createSimulation({ scheduler: inOrder() })
    const one = world.worker()
    await world.outcomes(Array.from({ length: 6 }, () => one.read()))
    expect(world.operations).toEqual([...Array(6).fill('read'), 'acquireLease', 'replace'])
  })

  it('joins forced refreshes that are under way together, and answers none with the old token', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), callers, latencies, async (scheduler, count, takes) => {
        const world = createSimulation({ scheduler, takes: script(takes, 0) })
        const answers = await world.outcomes(Array.from({ length: count }, () => world.worker().force()))
        for (const answer of answers) {
          expect(answer).toMatchObject({ value: { accessToken: expect.stringMatching(/^access-[1-9]/) } })
        }
        expect(world.stored()).toMatchObject({ generation: 1 + world.intuit.uses.length })
        expect(world.following).toEqual([])
        expectNothingLost(world)
      }),
      { numRuns: RUNS },
    )
  })

  it('refreshes once for all callers with the same generation, and returns 412 to the others', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), callers, latencies, async (scheduler, count, takes) => {
        const world = createSimulation({ scheduler, takes: script(takes, 0) })
        const answers = await world.outcomes(Array.from({ length: count }, () => world.worker().force([1])))
        expect(world.intuit.uses).toHaveLength(1)
        for (const answer of answers) {
          if (answer?.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'generation_mismatch' })
          else expect(answer?.value.connection.generation).toBe(2)
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('never presents a token whose successor is stored or parked, and loses no pair, while steps are lost and clocks are off', async () => {
    const setting = fc.record({
      skews: fc.array(skew, { minLength: 2, maxLength: 6 }),
      takes: latencies,
      faults: stepFaults,
      forced: fc.boolean(),
      rotates: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), setting, async (scheduler, { skews, takes, faults, forced, rotates }) => {
        const world = createSimulation({
          ...{ scheduler, takes: script(takes, 0), rotates: () => rotates },
          fault: script<StepFault>(faults, 'none'),
        })
        const calls = skews.map((skewMs) => {
          const one = world.worker({ skewMs })
          return forced ? one.force() : one.read()
        })
        const answers = await world.outcomes(calls)
        expect(world.following).toEqual([])
        expectNothingLost(world)
        for (const answer of answers) expect(answer).toBeDefined()
      }),
      { numRuns: 2 * RUNS },
    )
  })

  it('loses a pair only to a Worker that ends between Intuit’s answer and its first store', async () => {
    const setting = fc.record({ ends: crashes, takes: latencies, faults: stepFaults, count: callers, late: skew })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), setting, async (scheduler, { ends, takes, faults, count, late }) => {
        const world = createSimulation({
          ...{ scheduler, takes: script(takes, 0) },
          fault: script<StepFault>(faults, 'none'),
        })
        const workers = Array.from({ length: count }, (_, index) =>
          world.worker({ crashesAt: ends[index], skewMs: index === 0 ? late : 0 }),
        )
        await world.outcomes(workers.map((one) => one.read()))
        if (!workers.some((one) => one.tookPairAlong())) expectNothingLost(world)
        expect(world.following).toEqual([])
      }),
      { numRuns: 2 * RUNS },
    )
  })

  it('recovers a parked pair when the lease has lapsed, without asking Intuit again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 0, max: 30_000 }), async (scheduler, later) => {
        let outage = true
        const world = createSimulation({
          scheduler,
          fault: (operation) => (outage && operation === 'replace' ? 'lost before' : 'none'),
        })
        const [first] = await world.outcomes([world.worker().read()])
        expect(first).toMatchObject({ value: { accessToken: 'access-1' } })
        expect(world.stored()).toMatchObject({ generation: 1 })
        outage = false
        world.pass(45_000 + later)
        const [second] = await world.outcomes([world.worker().read()])
        expect(second).toMatchObject({ value: { accessToken: 'access-1', connection: { generation: 2 } } })
        expect(world.intuit.uses).toHaveLength(1)
        expect(world.parked.size).toBe(0)
      }),
      { numRuns: 50 },
    )
  })

  it('refreshes again where the parked pair expired before it was found', async () => {
    const world = await afterOutage()
    world.pass(2 * 3_600_000)
    const [answer] = await world.outcomes([world.worker().force()])
    expect(answer).toMatchObject({ value: { accessToken: 'access-2', connection: { generation: 3 } } })
    expectNothingLost(world)
  })

  it.each([
    ['until it is there', 3, []],
    ['until the deadline, and says so', Number.POSITIVE_INFINITY, ['pair_not_settled']],
  ])('reads in the background a record that was changed by another writer, %s', async (_, readsLost, notified) => {
    let [replaces, reads] = [0, 0]
    const world = createSimulation({
      scheduler: inOrder(),
      fault: (operation) => {
        if (operation === 'replace') return ++replaces === 1 ? 'lost before' : 'none'
        return operation === 'read' && replaces > 1 && ++reads <= readsLost ? 'lost before' : 'none'
      },
    })
    const calls = [
      world.worker().read(),
      // The pair is parked by now, and its second write is to come.
      world.later(20, async () => world.seed({ generation: 5, refreshTokenHash: 'of another consent' })),
    ]
    const [answer] = await world.outcomes<unknown>(calls)
    expect(answer).toMatchObject({ value: { accessToken: 'access-1' } })
    expect(world.stored()).toMatchObject({ generation: 5 })
    expect(reads).toBeGreaterThan(notified.length === 0 ? 3 : 10)
    const settled = world.events.map(({ event }) => event).filter((event) => event !== 'pair_write_failed')
    expect(settled).toEqual(notified)
  })

  it('uses no token after a takeover while the rescue store does not respond', async () => {
    const world = await afterOutage({ rescueFails: true })
    world.pass(60_000)
    for (let round = 0; round < REQUIRED_ROUNDS; round++) {
      const [answer] = await world.outcomes([world.worker().read()])
      expect(answer).toMatchObject({ reason: { code: 'storage_unavailable' } })
    }
    expect(world.intuit.uses).toHaveLength(1)
  })

  it('asks Intuit nothing while a request that was given up may be under way, forced or not', async () => {
    let hangs = true
    const world = createSimulation({ scheduler: inOrder(), loses: () => hangs, hangs: () => hangs })
    const [first] = await world.outcomes([world.worker().read()])
    expect(first).toMatchObject({ reason: { code: 'intuit_unavailable' } })
    hangs = false
    world.pass(11_000)
    const answers = await world.outcomes([world.worker().force(), world.worker().read()])
    for (const answer of answers) expect(answer).toMatchObject({ reason: { code: 'intuit_unavailable' } })
    expect(world.intuit.uses).toHaveLength(1)
    world.pass(45_000)
    await world.outcomes([world.worker().read()])
    expect(world.intuit.uses).toHaveLength(2)
  })

  it('stores an answer that comes late, before anybody else uses the token', async () => {
    const setting = fc.record({
      lateMs: fc.integer({ min: 0, max: 10_000 }),
      takes: latencies,
      rotates: fc.boolean(),
      faults: stepFaults,
      asks: fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), setting, async (scheduler, { lateMs, takes, rotates, faults, asks }) => {
        let isFirst = true
        const world = createSimulation({
          ...{ scheduler, takes: script(takes, 0), rotates: () => rotates, comesLateAfter: () => lateMs },
          fault: script<StepFault>(faults, 'none'),
          loses: () => isFirst,
          hangs: () => {
            isFirst = false
            return true
          },
        })
        const first = world.worker().read()
        const others = asks.map((ms) => world.later(ms, () => world.worker().read()))
        for (const answer of await world.outcomes([first, ...others])) expect(answer).toBeDefined()
        expect(world.following).toEqual([])
        expectNothingLost(world)
      }),
      { numRuns: RUNS },
    )
  })

  it.each([true, false])('ends embargo and failure with a late answer (rotated: %s)', async (rotates) => {
    const world = createSimulation({
      ...{ scheduler: inOrder(), rotates: () => rotates, comesLateAfter: () => 5_000 },
      ...{ loses: () => true, hangs: () => true },
    })
    const [first] = await world.outcomes([world.worker().read()])
    expect(first).toMatchObject({ reason: { code: 'intuit_unavailable' } })
    expect(world.stored()).toMatchObject({ generation: 2, lease: undefined, failure: undefined })
    expectNothingLost(world)
    expect(world.events.map(({ event }) => event)).toContain('late_response')
  })

  it('gives a holder that was taken over one minute to store, which no forced refresh shortens, then counts the connection as dead', async () => {
    const world = createSimulation({ scheduler: inOrder() })
    const gone = world.worker({ crashesAt: 7 })
    await world.outcomes([gone.read()])
    expect(gone.tookPairAlong()).toBe(true)
    world.pass(46_000)
    expect(await world.outcomes([world.worker().read()])).toMatchObject([{ reason: { code: 'refresh_in_progress' } }])
    world.pass(20_000)
    expect(await world.outcomes([world.worker().force()])).toMatchObject([{ reason: { code: 'refresh_in_progress' } }])
    expect(world.intuit.uses).toHaveLength(2)
    world.pass(45_000)
    expect(await world.outcomes([world.worker().read()])).toMatchObject([{ reason: { code: 'reconnect_required' } }])
  })

  it('reads the record again after a takeover, because the former holder may have stored its pair', async () => {
    const world = createSimulation({ scheduler: inOrder() })
    const sleeper = world.worker({ stallsAt: 5, stallMs: 46_000 }).read()
    const next = world.later(45_500, () => world.worker({ stallsAt: 4, stallMs: 3_000 }).read())
    const answers = await world.outcomes([sleeper, next])
    for (const answer of answers) expect(answer).toMatchObject({ value: { accessToken: 'access-1' } })
    expect(world.intuit.uses).toHaveLength(1)
  })

  it('lets a holder sleep past its lease, and never knows better when a token is presented twice', async () => {
    const setting = fc.record({
      stallsAt: fc.integer({ min: 1, max: 12 }),
      stallMs: fc.integer({ min: 46_000, max: 200_000 }),
      takes: latencies,
      count: fc.integer({ min: 1, max: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), setting, async (scheduler, { stallsAt, stallMs, takes, count }) => {
        const world = createSimulation({ scheduler, takes: script(takes, 0) })
        const sleeper = world.worker({ stallsAt, stallMs }).read()
        const others = Array.from({ length: count }, (_, index) =>
          world.later(45_500 + 7_000 * index, () => world.worker().read()),
        )
        const answers = await world.outcomes([sleeper, ...others])
        expect(world.knowing).toEqual([])
        for (const answer of answers) expect(answer).toBeDefined()
        expect(world.late).toEqual([])
        if (!world.intuit.isDead()) expectNothingLost(world)
      }),
      { numRuns: RUNS },
    )
  })
})

/** A world in which one pair could only be parked. */
const afterOutage = async ({ rescueFails = false } = {}) => {
  const state = { outage: true }
  const world = createSimulation({
    scheduler: inOrder(),
    fault: (operation) => {
      if (state.outage && operation === 'replace') return 'lost before'
      return !state.outage && rescueFails && operation === 'find' ? 'lost before' : 'none'
    },
  })
  await world.outcomes([world.worker().read()])
  state.outage = false
  return world
}
