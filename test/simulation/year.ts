import { createCronRun } from '../../src/fleet/cron-run.ts'
import { createMemoryBroker } from '../support/memory-broker.ts'
import { createMemoryStores } from '../support/memory-stores.ts'
import { memoryFleetIndex, memoryRounds } from './fleet-in-memory.ts'
import { fleetIntuit, type Outage } from './fleet-intuit.ts'

const DAY = 86_400
const HOUR = 3600
const START = 1_790_000_000

interface YearOptions {
  connections: number
  days: number
  /** How often the cron runs, and what one run may do. */
  everySeconds: number
  refreshesARun: number
  /** A share of the connections that callers ask for, about twice a day each. */
  inUse: number
  /** A share whose consent is withdrawn some day. */
  withdrawn: number
  seed: number
  /** Hears of each day that is over. */
  onDay?(day: number): void
}

export interface YearFigures {
  runs: number
  keepAliveRefreshes: number
  callersRefreshes: number
  /** Connections that Intuit refused as they were idle for too long. */
  diedOfIdleness: number
  /** Superseded tokens that were presented. */
  superseded: number
  mostPresentationsARun: number
  /** The longest that a connection with consent went without a refresh. */
  longestIdleDays: number
  withdrawn: number
  presentationsOfWithdrawn: number
  notRecovered: number
}

/** mulberry32: the same year for the same seed. */
const randomOf = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Begin and length in days. Every quarter Intuit is down for an hour, half a day and three days, and lies for two hours. */
const outageAt = (day: number): Outage => {
  const inQuarter = day % 90
  const during = (begin: number, length: number) => inQuarter >= begin && inQuarter < begin + length
  if (during(10, 1 / 24) || during(30, 0.5) || during(50, 3)) return 'down'
  return during(20, 2 / 24) ? 'lies' : undefined
}

/** For three days of the second month the cron does not run at all. */
const isCronDown = (day: number) => day >= 40 && day < 43

/** A year of the keep-alive: the real run of the cron and the real broker, over records in memory and a made-up Intuit. */
export const simulateYear = async (options: YearOptions): Promise<YearFigures> => {
  const { connections, days, everySeconds, refreshesARun, inUse, withdrawn, seed, onDay } = options
  const random = randomOf(seed)
  let now = START
  const today = () => (now - START) / DAY
  const stores = createMemoryStores()
  const fleet = memoryFleetIndex(stores.rows)
  const intuit = fleetIntuit({ now: () => now, random, outage: () => outageAt(today()) })
  const nowMs = () => now * 1000
  let nonces = 0
  const broker = createMemoryBroker({
    ...stores,
    rescue: undefined,
    intuit: intuit.server,
    runtime: {
      ...{ now: nowMs, random, nonce: () => String(++nonces) },
      sleep: () => new Promise((resolve) => setImmediate(resolve)),
    },
  })

  const keys = Array.from({ length: connections }, (_, index) => `company-${index}`)
  for (const companyKey of keys) {
    const { token, expiresAt } = intuit.grant(companyKey)
    await stores.connections.connect(companyKey, {
      ...{ companyName: companyKey, environment: 'production', realmId: '1', at: nowMs(), writer: companyKey },
      pair: {
        ...{ accessToken: 'access', accessTokenExpiresAt: now + HOUR, refreshToken: token, refreshTokenHash: token },
        ...{ refreshTokenExpiresAt: expiresAt, refreshTokenHardExpiresAt: undefined },
      },
    })
  }
  fleet.begin()
  const used = keys.slice(0, Math.floor(connections * inUse))
  const doomed = keys.slice(connections - Math.floor(connections * withdrawn))
  const leavesOn = new Map(doomed.map((companyKey) => [companyKey, random() * days]))

  const rounds = memoryRounds()
  const pages = Math.ceil(connections / 500) + 16
  const run = createCronRun({
    ...{ index: fleet.index, rounds, alerts: undefined, now: nowMs, idleRefreshDays: 7, refreshes: refreshesARun },
    refreshIdle: (companyKey, notSince) => broker.refreshIdle(companyKey, notSince, () => undefined),
    // The whole round in each run: what bounds it here is the number of refreshes.
    calls: { limit: Math.ceil(pages / 0.4), used: () => -1_000_000 },
  })
  const figures = {
    ...{ runs: 0, keepAliveRefreshes: 0, callersRefreshes: 0, mostPresentationsARun: 0, longestIdleDays: 0 },
  }

  const callers = async () => {
    const before = intuit.figures.presentations
    const share = everySeconds / (DAY / 2)
    for (const companyKey of used) {
      if (random() >= share) continue
      await broker.freshToken(companyKey, { minTtlSeconds: 0, fromTable: true }, () => undefined).catch(() => undefined)
    }
    figures.callersRefreshes += intuit.figures.presentations - before
  }

  const cron = async () => {
    fleet.settle()
    const before = intuit.figures.presentations
    const report = await run()
    figures.runs++
    figures.keepAliveRefreshes += report.refreshed
    figures.mostPresentationsARun = Math.max(figures.mostPresentationsARun, intuit.figures.presentations - before)
  }

  const lookAtIdle = () => {
    for (const { connection } of stores.rows.values()) {
      const leaves = leavesOn.get(connection.companyKey)
      if (leaves !== undefined && leaves <= today()) continue
      const idleDays = (now - (connection.lastRefreshAt ?? 0)) / DAY
      figures.longestIdleDays = Math.max(figures.longestIdleDays, idleDays)
    }
  }

  for (let lastDay = 0; today() < days; now += everySeconds) {
    if (Math.floor(today()) !== lastDay) {
      lastDay = Math.floor(today())
      for (const [companyKey, day] of leavesOn) if (day <= today()) intuit.revoke(companyKey)
      lookAtIdle()
      onDay?.(lastDay)
    }
    await callers()
    if (!isCronDown(today())) await cron()
  }

  const left = [...stores.rows.values()].filter(({ connection }) => !leavesOn.has(connection.companyKey))
  return {
    ...figures,
    diedOfIdleness: intuit.figures.died,
    superseded: intuit.figures.superseded,
    withdrawn: doomed.length,
    presentationsOfWithdrawn: intuit.figures.ofRevoked,
    notRecovered: left.filter(({ connection }) => connection.failure?.reason === 'invalid_grant').length,
  }
}
