import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UsableToken } from '../../../src/broker/connection.ts'
import { createTokenCache } from '../../../src/broker/tokens/token-cache.ts'
import { createSimulation } from '../../support/simulated.ts'
import { inOrder } from '../../support/virtual-time.ts'

const token = (companyKey: string, generation: number, length = 1100): UsableToken => ({
  accessToken: 'x'.repeat(length),
  connection: {
    ...{ companyKey, companyName: companyKey, environment: 'production', realmId: '1', generation },
    ...{ accessTokenExpiresAt: 1, refreshTokenExpiresAt: 1, updatedAt: 1, lastRefreshAt: 1 },
  },
})

const createCache = (cacheSeconds = 10) => {
  const clock = { now: 0 }
  return { clock, kept: createTokenCache({ now: () => clock.now, cacheSeconds: () => cacheSeconds }) }
}

describe('the memory of an isolate', () => {
  it('answers for its seconds and not longer', () => {
    const { clock, kept } = createCache()
    kept.set(token('beach', 1))
    clock.now = 9_999
    expect(kept.get('beach')?.connection.generation).toBe(1)
    clock.now = 10_000
    expect(kept.get('beach')).toBeUndefined()
  })

  it('is off with 0 seconds', () => {
    const { kept } = createCache(0)
    kept.set(token('beach', 1))
    expect(kept.get('beach')).toBeUndefined()
    expect(kept.bytes()).toBe(0)
  })

  it('never goes back to an older generation, in whatever order reads, refreshes and erasures end', () => {
    const step = fc.record({ generation: fc.integer({ min: 1, max: 5 }), erased: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const { kept } = createCache()
        let newest = 0
        for (const { generation, erased } of steps) {
          if (erased) kept.invalidate('beach', generation)
          else kept.set(token('beach', generation))
          newest = Math.max(newest, generation)
          const known = kept.get('beach')
          if (known) expect(known.connection.generation).toBe(newest)
        }
      }),
    )
  })

  it('stays within eight million bytes at 10,000 connections, and lets the least recently used go', () => {
    const { kept } = createCache()
    kept.set(token('first', 1))
    for (let count = 0; count < 10_000; count++) {
      kept.set(token(`company-${count}`, 1))
      if (count % 100 === 0) expect(kept.get('first')).toBeDefined()
      expect(kept.bytes()).toBeLessThanOrEqual(8_000_000)
    }
    expect(kept.get('company-0')).toBeUndefined()
    expect(kept.get('company-9999')).toBeDefined()
  })
})

describe('a token read with memory', () => {
  const fresh = { accessTokenExpiresAt: 1_790_000_000 + 3000 }

  it('asks the table once for a key in use, and once for all that come together', async () => {
    const world = createSimulation({ scheduler: inOrder(), cacheSeconds: () => 60 })
    world.seed(fresh)
    const one = world.worker()
    await world.outcomes(Array.from({ length: 20 }, () => one.read()))
    await world.outcomes([one.read()])
    expect(world.operations).toEqual(['read'])
  })

  it('hands out what it refreshed itself, and asks the table where no-cache says so', async () => {
    const world = createSimulation({ scheduler: inOrder(), cacheSeconds: () => 3600 })
    world.seed(fresh)
    const one = world.worker()
    await world.outcomes([one.read()])
    await world.outcomes([one.force()])
    const [cached] = await world.outcomes([one.read()])
    expect(cached).toMatchObject({ value: { accessToken: 'access-1' } })
    await world.outcomes([world.worker().force()])
    expect(await world.outcomes([one.read()])).toMatchObject([{ value: { accessToken: 'access-1' } }])
    expect(await world.outcomes([one.readFromTable()])).toMatchObject([{ value: { accessToken: 'access-2' } }])
    expect(await world.outcomes([one.read()])).toMatchObject([{ value: { accessToken: 'access-2' } }])
  })

  it('never returns a cached token past its margin', async () => {
    const world = createSimulation({ scheduler: inOrder(), cacheSeconds: () => 3600 })
    world.seed(fresh)
    const one = world.worker()
    await world.outcomes([one.read()])
    world.pass(2_701_000)
    expect(await world.outcomes([one.read()])).toMatchObject([{ value: { accessToken: 'access-1' } }])
  })
})
