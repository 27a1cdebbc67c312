import type { Connection } from '../../src/broker/connection.ts'
import type { CronState, CronStateStore, FleetIndex, IndexedConnection } from '../../src/fleet/ports.ts'
import {
  FLEET_SHARDS,
  NEVER_EXPIRES,
  toFleetAttributes,
  toFleetShard,
  UNFINISHED,
} from '../../src/storage/fleet-keys.ts'
import type { Rows } from '../support/memory-connections.ts'

const NOT_PROJECTED = {
  accessToken: undefined,
  refreshToken: undefined,
  refreshTokenHash: undefined,
  writtenBy: undefined,
  lease: undefined,
  disconnection: undefined,
  lastChange: undefined,
  refreshes: [],
}

/** The projection of the index. All objects have one shape, which makes the simulation fast. */
const project = (connection: Connection): Connection => ({
  companyKey: connection.companyKey,
  companyName: connection.companyName,
  environment: connection.environment,
  realmId: connection.realmId,
  realmProvenAt: connection.realmProvenAt,
  generation: connection.generation,
  failure: connection.failure,
  lastRefreshAt: connection.lastRefreshAt,
  refreshTokenExpiresAt: connection.refreshTokenExpiresAt,
  refreshTokenHardExpiresAt: connection.refreshTokenHardExpiresAt,
  accessTokenExpiresAt: connection.accessTokenExpiresAt,
  createdAt: connection.createdAt,
  updatedAt: connection.updatedAt,
  ...NOT_PROJECTED,
})

const parseIndexedConnection = (connection: Connection): IndexedConnection => {
  const holdsRefreshToken = connection.refreshToken !== undefined
  const { dies_at: diesAt } = toFleetAttributes({ ...connection, holdsRefreshToken })
  const place = { diesAt, companyKey: connection.companyKey }
  const holdsAccessToken = connection.accessTokenExpiresAt !== undefined
  return {
    connection: project(connection),
    holdsAccessToken,
    holdsRefreshToken,
    place,
    expiresAt: undefined,
    lastNotified: undefined,
  }
}

interface Entry {
  row: { connection: Connection }
  /** The version of the record that the index shows. */
  seen: Connection
  indexed: IndexedConnection
}

const toEntry = (row: Entry['row']): Entry => ({
  row,
  seen: row.connection,
  indexed: parseIndexedConnection(row.connection),
})

const inOrder = (one: Entry, other: Entry) => one.indexed.place.diesAt - other.indexed.place.diesAt

/** The fleet index over records in memory. It shows their state at the last `settle`. */
export const createMemoryFleetIndex = (rows: Rows) => {
  const shards = new Map<string, Entry[]>(FLEET_SHARDS.map((shard) => [shard, []]))
  /** The start of the next page of each shard. Pages are read in order. */
  const positions = new Map<string, number>()

  /** Adds all existing records. */
  const begin = () => {
    for (const row of rows.values()) {
      shards.get(toFleetShard(row.connection.companyKey))?.push(toEntry(row))
    }
  }

  const settle = () => {
    for (const shard of shards.values()) {
      for (const entry of shard) {
        if (entry.seen !== entry.row.connection) Object.assign(entry, toEntry(entry.row))
      }
      shard.sort(inOrder)
    }
  }

  const index: FleetIndex = {
    shards: FLEET_SHARDS,
    neverExpires: NEVER_EXPIRES,
    unfinished: UNFINISHED,
    countUnfinished: async () => ({ count: 0, next: undefined }),
    async page(shard, _, after, limit) {
      const all = shards.get(shard) ?? []
      const start = after ? (positions.get(shard) ?? 0) : 0
      positions.set(shard, start + limit)
      const connections = all.slice(start, start + limit).map(({ indexed }) => indexed)
      return { connections, next: start + limit < all.length ? connections.at(-1)?.place : undefined }
    },
    async setLastNotified() {},
  }
  return { index, begin, settle }
}

/** The cron state in memory. */
export const createMemoryCronState = (): CronStateStore => {
  let kept: CronState | undefined
  return {
    load: async () => kept,
    save: async (round) => {
      kept = round
    },
  }
}
