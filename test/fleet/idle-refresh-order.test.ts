import { describe, expect, it } from 'vitest'
import type { Connection, Failure } from '../../src/broker/connection.ts'
import type { IdleRefresh } from '../../src/broker/tokens/refresh-idle.ts'
import { findIdleRefreshReason, refreshIdleConnections } from '../../src/fleet/idle-refresh.ts'
import type { IndexedConnection } from '../../src/fleet/ports.ts'
import { createSoonestToExpire } from '../../src/fleet/soonest-to-expire.ts'
import { createConnection } from '../support/fixtures.ts'
import { createSimulation } from '../support/simulated.ts'
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

const sortByExpiry = (connections: IndexedConnection[] = []) => {
  const soonest = createSoonestToExpire(100)
  for (const one of connections) soonest.add(one)
  return soonest.connections()
}

/** Refreshes connections, each with the given outcome. Returns the counts and the company keys in order. */
const refresh = async (
  due: { idle?: IndexedConnection[]; failing?: IndexedConnection[] },
  outcome: (companyKey: string) => IdleRefresh = () => 'refreshed',
  bounds: { refreshes?: number; calls?: number; isOver?: () => boolean } = {},
) => {
  const order: string[] = []
  let calls = bounds.calls ?? 1000
  const refreshIdle = async (companyKey: string) => {
    order.push(companyKey)
    calls -= 4
    return outcome(companyKey)
  }
  const counts = await refreshIdleConnections(refreshIdle, {
    idle: sortByExpiry(due.idle),
    failing: sortByExpiry(due.failing),
    limit: bounds.refreshes ?? 100,
    callsLeft: () => calls,
    isOver: bounds.isOver ?? (() => false),
  })
  return { order, ...counts }
}

describe('the reason for an idle refresh', () => {
  it('is idle if the last refresh is the given days ago, to the second', () => {
    expect(findIdleRefreshReason(indexed('a', 1, { lastRefreshAt: NOW - 7 * DAY }), NOW, 7)).toBe('idle')
    expect(findIdleRefreshReason(indexed('a', 1, { lastRefreshAt: NOW - 7 * DAY + 1 }), NOW, 7)).toBeUndefined()
    expect(findIdleRefreshReason(indexed('a', 1, { lastRefreshAt: undefined }), NOW, 7)).toBe('idle')
  })

  it('is failing once the retry is due, however long the connection is idle', () => {
    expect(findIdleRefreshReason(indexed('a', 1, { failure: failure(NOW) }), NOW, 7)).toBe('failing')
    expect(findIdleRefreshReason(indexed('a', 1, { failure: failure(NOW + 1) }), NOW, 7)).toBeUndefined()
  })

  it('does not exist without a refresh token', () => {
    expect(findIdleRefreshReason({ ...indexed('a', 1), holdsRefreshToken: false }, NOW, 7)).toBeUndefined()
  })
})

describe('the refreshes of a run', () => {
  it('begin with what expires soonest, and end with what failed before', async () => {
    const idle = [indexed('late', 300), indexed('soon', 100), indexed('then', 200)]
    const failing = [indexed('failed', 1)]
    expect((await refresh({ idle, failing })).order).toEqual(['soon', 'then', 'late', 'failed'])
  })

  it('are limited by number, calls and time', async () => {
    const idle = Array.from({ length: 30 }, (_, index) => indexed(`c${index}`, index))
    expect((await refresh({ idle: [...idle] }, undefined, { refreshes: 7 })).order).toHaveLength(7)
    expect((await refresh({ idle: [...idle] }, undefined, { calls: 27 })).order).toHaveLength(6)
    let looks = 0
    expect((await refresh({ idle: [...idle] }, undefined, { isOver: () => ++looks > 2 })).order).toHaveLength(8)
  })

  it('stop after a batch that cannot reach Intuit or the table, but not after failures of single connections', async () => {
    const idle = Array.from({ length: 12 }, (_, index) => indexed(`c${index}`, index))
    expect(await refresh({ idle: [...idle] }, () => 'out of reach')).toMatchObject({ refreshed: 0, failed: 4 })
    expect(await refresh({ idle: [...idle] }, () => 'failed')).toMatchObject({ refreshed: 0, failed: 12 })
    const one = (companyKey: string) => (companyKey === 'c1' ? 'refreshed' : 'out of reach')
    expect((await refresh({ idle: [...idle] }, one)).order).toHaveLength(8)
  })
})

describe('the connections that are due', () => {
  it('are limited and sorted by expiry, however many there are and in any order', () => {
    for (const order of [(n: number) => n, (n: number) => -n, (n: number) => (n * 7919) % 100_003]) {
      const due = createSoonestToExpire(60)
      let most = 0
      for (let index = 0; index < 100_000; index++) {
        due.add(indexed(`c${index}`, order(index)))
        most = Math.max(most, due.connections().length)
      }
      const all = Array.from({ length: 100_000 }, (_, index) => order(index)).sort((one, other) => one - other)
      expect(due.connections().map(({ place }) => place.diesAt)).toEqual(all.slice(0, 60))
      expect({ most, count: due.count() }).toEqual({ most: 60, count: 100_000 })
    }
  })

  it('are none if the limit is 0', () => {
    const due = createSoonestToExpire(0)
    due.add(indexed('a', 1))
    expect({ connections: due.connections(), count: due.count() }).toEqual({ connections: [], count: 1 })
  })
})

describe('an idle refresh', () => {
  const AT = 1_790_000_000
  const refreshOne = async (over: Partial<Connection>, rotates = true) => {
    const world = createSimulation({ scheduler: inOrder(), rotates: () => rotates })
    world.seed(over)
    const [outcome] = await world.outcomes([world.worker().refreshIdle(AT - 7 * DAY)])
    return { outcome: outcome?.status === 'fulfilled' ? outcome.value : outcome, operations: world.operations }
  }

  it('is made if the record is still idle', async () => {
    expect(await refreshOne({ lastRefreshAt: AT - 7 * DAY })).toEqual({
      ...{ outcome: 'refreshed', operations: ['read', 'acquireLease', 'replace'] },
    })
  })

  it.each([
    ['the connection was refreshed', { lastRefreshAt: AT - DAY }],
    ['a refresh failed', { lastRefreshAt: 1, failure: failure(AT + 60) }],
    ['its tokens were erased', { lastRefreshAt: 1, refreshToken: undefined }],
  ])('is not made if %s since, because the index is eventually consistent', async (_, over) => {
    expect(await refreshOne(over)).toEqual({ outcome: 'not due', operations: ['read'] })
  })
})
