import { createCronRun } from '../../src/fleet/cron-run.ts'
import type { Alert, FleetIndex, IndexedConnection, Outbox, Place, WaitingAlert } from '../../src/fleet/ports.ts'
import { createCronStateStore } from '../../src/storage/cron-state-store.ts'
import type { Item } from '../../src/storage/dynamodb.ts'
import { FLEET_SHARDS, NEVER_EXPIRES, toFleetShard, UNFINISHED } from '../../src/storage/fleet-keys.ts'
import { createConnection } from '../support/fixtures.ts'

const DAY = 86_400
export const START = 1_790_000_000
const EVERY_SECONDS = 300

type Operation = 'page' | 'note' | 'put' | 'findDue' | 'remove' | 'postpone' | 'load' | 'save' | 'send'

/** The fault of a call: `before` rejects it, `after` applies it and loses the response. */
export type Trouble = 'before' | 'after' | undefined

export interface AlertFleetOptions {
  /** `CRON_CALLS`. */
  calls: number
  trouble?(operation: Operation): Trouble
}

const createFleetConnection = (companyKey: string, at: number) =>
  createConnection({
    ...{ companyKey, realmId: '1', generation: 5, accessTokenExpiresAt: at + 3600 },
    ...{ refreshTokenExpiresAt: at + 200 * DAY, createdAt: at, updatedAt: at, lastRefreshAt: at },
  })

/** The cron and its alerts over a fleet in memory, with a simulated clock. The cron state passes through its real item. */
export const alertFleet = ({ calls, trouble = () => undefined }: AlertFleetOptions) => {
  let now = START
  let used = 0
  const shards = new Map<string, IndexedConnection[]>(FLEET_SHARDS.map((shard) => [shard, []]))
  const connections = new Map<string, { indexed: IndexedConnection; position: number }>()
  const waiting = new Map<string, WaitingAlert & { nextAttemptAt: number }>()
  const received: Alert[] = []
  const items = new Map<string, Item>()
  const figures = { notes: 0, largestState: 0, mostCalls: 0, failedRuns: 0 }

  const call = async <Result>(operation: Operation, apply: () => Result): Promise<Result> => {
    used++
    const met = trouble(operation)
    if (met === 'before') throw new Error(`${operation} is out of reach`)
    const result = apply()
    if (met === 'after') throw new Error(`the answer of ${operation} was lost`)
    return result
  }

  const index: FleetIndex = {
    shards: FLEET_SHARDS,
    neverExpires: NEVER_EXPIRES,
    unfinished: UNFINISHED,
    countUnfinished: async () => ({ count: 0, next: undefined }),
    page: (shard, _range, after: Place | undefined, limit) =>
      call('page', () => {
        const all = shards.get(shard) ?? []
        const start = after ? (connections.get(after.companyKey)?.position ?? 0) + 1 : 0
        const page = all.slice(start, start + limit)
        return {
          connections: page.map((one) => ({ ...one })),
          next: start + limit < all.length ? page.at(-1)?.place : undefined,
        }
      }),
    setLastNotified: (companyKey, before, next) =>
      call('note', () => {
        figures.notes++
        const indexed = connections.get(companyKey)?.indexed
        if (indexed?.lastNotified === before && indexed) indexed.lastNotified = next
      }),
  }
  const outbox: Outbox = {
    put: (alert, at, nextAttemptAt) =>
      call('put', () => {
        if (!waiting.has(alert.id)) waiting.set(alert.id, { alert, attempts: 0, since: at, nextAttemptAt })
      }),
    findDue: (at, limit) =>
      call('findDue', () => [...waiting.values()].filter((one) => one.nextAttemptAt <= at).slice(0, limit)),
    remove: (id) => call('remove', () => void waiting.delete(id)),
    postpone: (id, attempts, nextAttemptAt) =>
      call('postpone', () => {
        const one = waiting.get(id)
        if (one) waiting.set(id, { ...one, attempts, nextAttemptAt })
      }),
  }
  const unused = () => Promise.reject(new Error('not simulated'))
  const cronStateStore = createCronStateStore({
    ...{ updateItem: unused, deleteItem: unused, query: unused },
    getItem: () => call('load', () => items.get('round')),
    putItem: ({ Item: item = {} }) =>
      call('save', () => {
        if (!item['round']) return { refused: false, attributes: {} }
        items.set('round', item)
        figures.largestState = Math.max(figures.largestState, JSON.stringify(item).length)
        return { refused: false, attributes: {} }
      }),
  })
  const send = async (alert: Alert) => {
    used++
    if (trouble('send') === 'before') return false
    received.push(alert)
    return trouble('send') !== 'after'
  }
  const run = createCronRun({
    ...{ index, cronStateStore, alerts: { outbox, send }, idleRefreshDays: 0, refreshes: 60, now: () => now * 1000 },
    refreshIdle: async () => 'not due',
    calls: { limit: calls, used: () => used },
  })

  return {
    figures,
    /** The messages that the operator's endpoint accepted, in order. */
    received,
    waiting,
    now: () => now,
    /** Adds a connection that was created and last refreshed at `at`. */
    add: (companyKey: string, at = now) => {
      const connection = createFleetConnection(companyKey, at)
      const place = { diesAt: connection.refreshTokenExpiresAt ?? 0, companyKey }
      const shard = shards.get(toFleetShard(companyKey)) ?? []
      const indexed = {
        connection,
        holdsAccessToken: true,
        holdsRefreshToken: true,
        place,
        expiresAt: undefined,
        lastNotified: undefined,
      }
      connections.set(companyKey, { indexed, position: shard.push(indexed) - 1 })
    },
    fail: (companyKey: string, reason: 'unavailable' | 'invalid_grant' = 'unavailable') => {
      const { connection } = connections.get(companyKey)?.indexed ?? {}
      if (!connection) throw new Error(`There is fail ${companyKey}.`)
      const times = { count: 3, since: now - 600, at: now, retryAt: now + 600 }
      const unknown = { intuitError: undefined, intuitTid: undefined, notBefore: undefined, client: undefined }
      connection.failure = { reason, ...unknown, ...times }
    },
    recover: (companyKey: string) => {
      const { connection } = connections.get(companyKey)?.indexed ?? {}
      if (connection) Object.assign(connection, { failure: undefined, generation: connection.generation + 1 })
    },
    /** Disconnects a connection. Its place in the index stays, because no test depends on it. */
    erase: (companyKey: string) => {
      const { indexed } = connections.get(companyKey) ?? {}
      if (indexed) Object.assign(indexed, { holdsAccessToken: false, holdsRefreshToken: false })
      if (indexed) Object.assign(indexed.connection, { failure: undefined, updatedAt: now })
    },
    connectAgain: (companyKey: string) => {
      const { indexed } = connections.get(companyKey) ?? {}
      if (indexed) Object.assign(indexed, { holdsAccessToken: true, holdsRefreshToken: true })
      if (indexed) Object.assign(indexed.connection, { generation: indexed.connection.generation + 2, updatedAt: now })
    },
    /** Runs the cron several times, five minutes apart. The next run makes up for a failed one. */
    runs: async (count: number) => {
      for (let done = 0; done < count; done++) {
        used = 0
        await run().catch(() => figures.failedRuns++)
        figures.mostCalls = Math.max(figures.mostCalls, used)
        now += EVERY_SECONDS
      }
    },
  }
}
