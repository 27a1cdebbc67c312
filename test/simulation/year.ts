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
  /** The interval of the cron, and the limit of one run. */
  everySeconds: number
  refreshesPerRun: number
  /** The share of connections that callers use, about twice a day each. */
  inUse: number
  /** The share of connections whose consent is withdrawn during the simulation. */
  withdrawn: number
  seed: number
  /** Called after each day. */
  onDay?(day: number): void
}

export interface YearFigures {
  runs: number
  idleRefreshes: number
  callersRefreshes: number
  /** Connections that expired after inactivity. */
  expiredIdle: number
  /** Uses of superseded tokens. */
  superseded: number
  mostUsesPerRun: number
  /** The longest time without a refresh of a connection with consent. */
  longestIdleDays: number
  withdrawn: number
  usesOfWithdrawn: number
  notRecovered: number
}

/** mulberry32. The same seed gives the same year. */
const createRandom = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Every quarter Intuit is down for an hour, half a day and three days, and responds `invalid_grant` for two hours. */
const outageAt = (day: number): Outage => {
  const inQuarter = day % 90
  const during = (begin: number, length: number) => inQuarter >= begin && inQuarter < begin + length
  if (during(10, 1 / 24) || during(30, 0.5) || during(50, 3)) return 'down'
  return during(20, 2 / 24) ? 'lies' : undefined
}

/** The cron does not run for three days of the second month. */
const isCronStopped = (day: number) => day >= 40 && day < 43

/** Simulates a year of the idle refresh: the real cron run and broker, over records in memory and a simulated Intuit. */
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
    // Each run scans the whole index, so that only the number of refreshes limits it.
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
