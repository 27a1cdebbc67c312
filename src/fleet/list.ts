import { type ApiClient, canAccess } from '../broker/api-client.ts'
import type { Environment } from '../broker/company.ts'
import type { EpochSeconds } from '../broker/connection.ts'
import { connectionStatus, EXPIRING_SECONDS, type Status } from '../broker/connection-status.ts'
import { isOver } from './index-scan.ts'
import type { ExpiryRange, FleetIndex, IndexedConnection, Place } from './ports.ts'

/** Workers on the free plan send 50 requests for one of their own at the most. */
const MAX_QUERIES = 45
/**
 * Connections of the index that one request takes in where a filter is given. Each costs some 15 microseconds of CPU
 * time, and Workers on the free plan have 10 ms for a request.
 */
const MAX_FILTERED = 300
/** What DynamoDB looks at in a shard at a time: the more, the less of it passes its own part of the filter. */
const FEWEST_EVALUATED = 8
const MOST_EVALUATED = 250

/** For each shard: the last connection that was passed, `end`, or `undefined` where none was. */
export type ListPlaces = readonly (Place | 'end' | undefined)[]

export interface ListRequest {
  limit: number
  places: ListPlaces | undefined
  status: Status | undefined
  environment: Environment | undefined
  /** Whose connections are listed; `undefined`: everybody's. */
  apiClient: ApiClient | undefined
}

export interface Listed {
  indexed: IndexedConnection
  status: Status
}

/** `places` is `undefined` at the end. */
export interface ListPage {
  connections: Listed[]
  places: ListPlaces | undefined
}

interface Shard {
  name: string
  /** The last connection that was passed, or where the page began. */
  place: Place | undefined
  ahead: IndexedConnection[]
  /** Where the next page begins. */
  next: Place | undefined
  isAtEnd: boolean
}

/** Where in the index a status can be. */
function toRange(status: Status | undefined, now: EpochSeconds, neverExpires: EpochSeconds): ExpiryRange {
  switch (status) {
    case 'disconnected':
      return { from: neverExpires, to: neverExpires }
    case 'expiring':
      return { from: 0, to: now + EXPIRING_SECONDS }
    case 'connected':
    case 'failing':
      return { from: 0, to: neverExpires - 1 }
    // With one token of two they can be at either end.
    case 'unfinished':
    case 'reconnect_required':
    case undefined:
      return { from: 0, to: neverExpires }
  }
}

function earlier(one: Shard, other: Shard) {
  const [left, right] = [one.ahead[0]?.place, other.ahead[0]?.place]
  if (!left || !right) return left ? one : other
  return left.diesAt < right.diesAt || (left.diesAt === right.diesAt && left.companyKey <= right.companyKey)
    ? one
    : other
}

function placeAfter({ place, ahead, next, isAtEnd }: Shard) {
  if (ahead.length > 0) return place
  return isAtEnd ? ('end' as const) : next
}

function isDry({ ahead, isAtEnd }: Shard) {
  return ahead.length === 0 && !isAtEnd
}

/** How much of each shard is read at a time. */
function createPageSize({ limit, ...wanted }: ListRequest, shards: number) {
  const isFiltered = Object.values({ ...wanted, places: undefined }).some((value) => value !== undefined)
  let evaluated = 0
  let taken = 0
  return {
    /** By what passed DynamoDB's part of the filter so far: as much as takes in what this request may still take in. */
    next(): number {
      if (!isFiltered) return Math.max(FEWEST_EVALUATED, Math.ceil(limit / 8))
      const perTaken = evaluated === 0 ? 1 : evaluated / Math.max(taken, 1)
      const wish = Math.floor((perTaken * (MAX_FILTERED - taken)) / shards)
      return Math.min(Math.max(wish, FEWEST_EVALUATED), MOST_EVALUATED)
    },
    count(pageSize: number, connections: number): void {
      evaluated += pageSize
      taken += connections
    },
    isUsedUp: () => isFiltered && taken >= MAX_FILTERED,
  }
}

/**
 * Connections, soonest to expire first: the shards of the index merged, each read a page at a time. A page may be short,
 * and even empty, where few of many are wanted: what a request may read is bounded, and its places tell where to go on.
 */
export function createList(index: FleetIndex) {
  const begin = (places: ListPlaces | undefined): Shard[] =>
    index.shards.map((name, position) => {
      const given = places?.[position]
      const place = given === 'end' ? undefined : given
      return { name, place, ahead: [], next: place, isAtEnd: given === 'end' }
    })

  return async (request: ListRequest, now: EpochSeconds): Promise<ListPage> => {
    const { limit, status, environment, apiClient } = request
    const filter = { status, environment, companies: apiClient?.companies, now }
    const range = toRange(status, now, index.neverExpires)
    const pageSize = createPageSize(request, index.shards.length)
    const shards = begin(request.places)
    const connections: Listed[] = []

    const fill = async (shard: Shard, size: number) => {
      shard.place = shard.next
      const { connections, next } = await index.page(shard.name, range, shard.place, size, filter)
      pageSize.count(size, connections.length)
      Object.assign(shard, { ahead: connections, next, isAtEnd: next === undefined })
    }
    const consider = (indexed: IndexedConnection) => {
      const { connection } = indexed
      if (isOver(indexed, now) || (apiClient && !canAccess(apiClient, connection.companyKey))) return
      const found = connectionStatus(connection, indexed, now)
      if (status !== undefined && found !== status) return
      if (environment !== undefined && connection.environment !== environment) return
      connections.push({ indexed, status: found })
    }

    for (let queries = 0; connections.length < limit; ) {
      const dry = shards.filter(isDry)
      queries += dry.length
      if (dry.length > 0 && (queries > MAX_QUERIES || pageSize.isUsedUp())) break
      const size = pageSize.next()
      await Promise.all(dry.map((shard) => fill(shard, size)))
      // A page may be empty and not be the last one. What is next is known once every shard shows what it has.
      if (shards.some(isDry)) continue
      const next = shards.reduce(earlier)
      const indexed = next.ahead.shift()
      if (!indexed) break
      next.place = indexed.place
      consider(indexed)
    }
    const places = shards.map(placeAfter)
    return { connections, places: places.every((place) => place === 'end') ? undefined : places }
  }
}
