import { describe, expect, it } from 'vitest'
import type { Connection, Failure } from '../../src/broker/connection.ts'
import type { IdleRefresh } from '../../src/broker/tokens/get-token.ts'
import { createIdleRefresh, isDue } from '../../src/fleet/idle-refresh.ts'
import type { IndexedConnection } from '../../src/fleet/ports.ts'
import { createSoonest } from '../../src/fleet/soonest-to-expire.ts'
import { createConnection } from '../support/fixtures.ts'
import { simulated } from '../support/simulated.ts'
import { inOrder } from '../support/virtual-time.ts'

const NOW = 1_790_000_000
const DAY = 86_400

const failure = (retryAt: number): Failure => ({
  ...{ reason: 'unavailable', intuitError: undefined, intuitTid: undefined, notBefore: undefined, client: undefined },
  ...{ count: 1, since: NOW - 60, at: NOW - 60, retryAt },
})

const indexed = (companyKey: string, diesAt: number, over: Partial<Connection> = {}): IndexedConnection => ({
  connection: createConnection({
    ...{ companyKey, realmId: '1', generation: 3, accessTokenExpiresAt: 1, refreshTokenExpiresAt: diesAt },
    ...{ createdAt: 1, updatedAt: 1, lastRefreshAt: NOW - 8 * DAY },
    ...over,
  }),
  ...{
    holdsAccessToken: true,
    holdsRefreshToken: true,
    place: { diesAt, companyKey },
    expiresAt: undefined,
    lastNotified: undefined,
  },
})

const soonest = (connections: IndexedConnection[] = []) => {
  const kept = createSoonest(100)
  for (const one of connections) kept.add(one)
  return kept.kept()
}

/** Refreshes with the outcomes told, and what was asked for in which order. */
const kept = async (
  parts: { idle?: IndexedConnection[]; failing?: IndexedConnection[] },
  outcome: (companyKey: string) => IdleRefresh = () => 'refreshed',
  bounds: { refreshes?: number; calls?: number; isOver?: () => boolean } = {},
) => {
  const asked: string[] = []
  let calls = bounds.calls ?? 1000
  const counts = await createIdleRefresh(async (companyKey) => {
    asked.push(companyKey)
    calls -= 4
    return outcome(companyKey)
  })(soonest(parts.idle), soonest(parts.failing), {
    refreshes: bounds.refreshes ?? 100,
    callsLeft: () => calls,
    isOver: bounds.isOver ?? (() => false),
  })
  return { asked, ...counts }
}

describe('what is due', () => {
  it('is what was idle for the days, to the second', () => {
    expect(isDue(indexed('a', 1, { lastRefreshAt: NOW - 7 * DAY }), NOW, 7)).toBe('idle')
    expect(isDue(indexed('a', 1, { lastRefreshAt: NOW - 7 * DAY + 1 }), NOW, 7)).toBeUndefined()
    expect(isDue(indexed('a', 1, { lastRefreshAt: undefined }), NOW, 7)).toBe('idle')
  })

  it('is what failed once its interval is over, however long it was idle', () => {
    expect(isDue(indexed('a', 1, { failure: failure(NOW) }), NOW, 7)).toBe('failing')
    expect(isDue(indexed('a', 1, { failure: failure(NOW + 1) }), NOW, 7)).toBeUndefined()
  })

  it('is nothing that has no refresh token', () => {
    expect(isDue({ ...indexed('a', 1), holdsRefreshToken: false }, NOW, 7)).toBeUndefined()
  })
})

describe('the refreshes of a run', () => {
  it('go to the next to die first, and to those that failed before last', async () => {
    const idle = [indexed('late', 300), indexed('soon', 100), indexed('then', 200)]
    const failing = [indexed('failed', 1)]
    expect((await kept({ idle, failing })).asked).toEqual(['soon', 'then', 'late', 'failed'])
  })

  it('are so many at the most, by number, by calls and by time', async () => {
    const idle = Array.from({ length: 30 }, (_, index) => indexed(`c${index}`, index))
    expect((await kept({ idle: [...idle] }, undefined, { refreshes: 7 })).asked).toHaveLength(7)
    expect((await kept({ idle: [...idle] }, undefined, { calls: 27 })).asked).toHaveLength(6)
    let looks = 0
    expect((await kept({ idle: [...idle] }, undefined, { isOver: () => ++looks > 2 })).asked).toHaveLength(8)
  })

  it('end where a handful fails for reasons that others would meet, and not for their own', async () => {
    const idle = Array.from({ length: 12 }, (_, index) => indexed(`c${index}`, index))
    expect(await kept({ idle: [...idle] }, () => 'out of reach')).toMatchObject({ refreshed: 0, failed: 4 })
    expect(await kept({ idle: [...idle] }, () => 'failed')).toMatchObject({ refreshed: 0, failed: 12 })
    const one = (companyKey: string) => (companyKey === 'c1' ? 'refreshed' : 'out of reach')
    expect((await kept({ idle: [...idle] }, one)).asked).toHaveLength(8)
  })
})

describe('what a run holds of the connections that are due', () => {
  it('is so many, soonest to expire first, however many are due and in whatever order they come', () => {
    for (const order of [(n: number) => n, (n: number) => -n, (n: number) => (n * 7919) % 100_003]) {
      const due = createSoonest(60)
      let most = 0
      for (let index = 0; index < 100_000; index++) {
        due.add(indexed(`c${index}`, order(index)))
        most = Math.max(most, due.kept().length)
      }
      const all = Array.from({ length: 100_000 }, (_, index) => order(index)).sort((one, other) => one - other)
      expect(due.kept().map(({ place }) => place.diesAt)).toEqual(all.slice(0, 60))
      expect({ most, count: due.count() }).toEqual({ most: 60, count: 100_000 })
    }
  })

  it('is nothing where nothing may be refreshed', () => {
    const due = createSoonest(0)
    due.add(indexed('a', 1))
    expect({ kept: due.kept(), count: due.count() }).toEqual({ kept: [], count: 1 })
  })
})

describe('a refresh for which nobody asked', () => {
  const AT = 1_790_000_000
  const classifyOutcome = async (over: Partial<Connection>, rotates = true) => {
    const world = simulated({ scheduler: inOrder(), rotates: () => rotates })
    world.seed(over)
    const [outcome] = await world.outcomes([world.worker().refreshIdle(AT - 7 * DAY)])
    return { outcome: outcome?.status === 'fulfilled' ? outcome.value : outcome, operations: world.operations }
  }

  it('is made where the record still says that it is idle', async () => {
    expect(await classifyOutcome({ lastRefreshAt: AT - 7 * DAY })).toEqual({
      ...{ outcome: 'refreshed', operations: ['read', 'claim', 'replace'] },
    })
  })

  it.each([
    ['somebody refreshed meanwhile', { lastRefreshAt: AT - DAY }],
    ['its refresh failed meanwhile', { lastRefreshAt: 1, failure: failure(AT + 60) }],
    ['its tokens were erased meanwhile', { lastRefreshAt: 1, refreshToken: undefined }],
  ])('is not made where %s, as the index is behind the table', async (_, over) => {
    expect(await classifyOutcome(over)).toEqual({ outcome: 'not due', operations: ['read'] })
  })
})
