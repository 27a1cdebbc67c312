import { createCronRun } from '../../src/fleet/cron-run.ts'
import { createMemoryBroker } from '../support/memory-broker.ts'
import { createMemoryStores } from '../support/memory-stores.ts'
import { createMemoryCronState, createMemoryFleetIndex } from './fleet-in-memory.ts'
import { createFleetIntuit, type Outage } from './fleet-intuit.ts'

const DAY = 86_400
const HOUR = 3600
const START = 1_790_000_000

interface YearOptions {
  connections: number
  days: number
  /** How often the cron runs, and what one run may do. */
  everySeconds: number
  refreshesPerRun: number
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
  idleRefreshes: number
  callersRefreshes: number
  /** Connections that Intuit refused as they were idle for too long. */
  expiredIdle: number
  /** Superseded tokens that were presented. */
  superseded: number
  mostUsesPerRun: number
  /** The longest that a connection with consent went without a refresh. */
  longestIdleDays: number
  withdrawn: number
  usesOfWithdrawn: number
  notRecovered: number
}

/** mulberry32: the same year for the same seed. */
const createRandom = (seed: number) => {
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
const isCronStopped = (day: number) => day >= 40 && day < 43

/** A year of the keep-alive: the real run of the cron and the real broker, over records in memory and a made-up Intuit. */
export const simulateYear = async (options: YearOptions): Promise<YearFigures> => {
  const { connections, days, everySeconds, refreshesPerRun, inUse, withdrawn, seed, onDay } = options
  const random = createRandom(seed)
  let now = START
  const today = () => (now - START) / DAY
  const stores = createMemoryStores()
  const fleet = createMemoryFleetIndex(stores.rows)
  const intuit = createFleetIntuit({ now: () => now, random, outage: () => outageAt(today()) })
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
  const withdrawnKeys = keys.slice(connections - Math.floor(connections * withdrawn))
  const withdrawnOn = new Map(withdrawnKeys.map((companyKey) => [companyKey, random() * days]))

  const cronStateStore = createMemoryCronState()
  const pages = Math.ceil(connections / 500) + 16
  const run = createCronRun({
    ...{
      index: fleet.index,
      cronStateStore,
      alerts: undefined,
      now: nowMs,
      idleRefreshDays: 7,
      refreshes: refreshesPerRun,
    },
    refreshIdle: (companyKey, notSince) => broker.refreshIdle(companyKey, notSince, () => undefined),
    // The whole round in each run: what bounds it here is the number of refreshes.
    calls: { limit: Math.ceil(pages / 0.4), used: () => -1_000_000 },
  })
  const figures = {
    ...{ runs: 0, idleRefreshes: 0, callersRefreshes: 0, mostUsesPerRun: 0, longestIdleDays: 0 },
  }

  const callers = async () => {
    const before = intuit.figures.uses
    const share = everySeconds / (DAY / 2)
    for (const companyKey of used) {
      if (random() >= share) continue
      await broker.freshToken(companyKey, { minTtlSeconds: 0, fromTable: true }, () => undefined).catch(() => undefined)
    }
    figures.callersRefreshes += intuit.figures.uses - before
  }

  const cron = async () => {
    fleet.settle()
    const before = intuit.figures.uses
    const report = await run()
    figures.runs++
    figures.idleRefreshes += report.refreshed
    figures.mostUsesPerRun = Math.max(figures.mostUsesPerRun, intuit.figures.uses - before)
  }

  const measureIdleDays = () => {
    for (const { connection } of stores.rows.values()) {
      const leaves = withdrawnOn.get(connection.companyKey)
      if (leaves !== undefined && leaves <= today()) continue
      const idleDays = (now - (connection.lastRefreshAt ?? 0)) / DAY
      figures.longestIdleDays = Math.max(figures.longestIdleDays, idleDays)
    }
  }

  for (let lastDay = 0; today() < days; now += everySeconds) {
    if (Math.floor(today()) !== lastDay) {
      lastDay = Math.floor(today())
      for (const [companyKey, day] of withdrawnOn) if (day <= today()) intuit.revoke(companyKey)
      measureIdleDays()
      onDay?.(lastDay)
    }
    await callers()
    if (!isCronStopped(today())) await cron()
  }

  const left = [...stores.rows.values()].filter(({ connection }) => !withdrawnOn.has(connection.companyKey))
  return {
    ...figures,
    expiredIdle: intuit.figures.expired,
    superseded: intuit.figures.superseded,
    withdrawn: withdrawnKeys.length,
    usesOfWithdrawn: intuit.figures.ofRevoked,
    notRecovered: left.filter(({ connection }) => connection.failure?.reason === 'invalid_grant').length,
  }
}
