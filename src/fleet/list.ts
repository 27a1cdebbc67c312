import { type ApiClient, canAccess } from '../broker/api-client.ts'
import type { Environment } from '../broker/company.ts'
import type { EpochSeconds } from '../broker/connection.ts'
import { connectionStatus, EXPIRING_SECONDS, type Status } from '../broker/connection-status.ts'
import { isExpired } from './index-scan.ts'
import type { ExpiryRange, FleetIndex, IndexedConnection, IndexFilter, Place } from './ports.ts'

/** Workers on the free plan can send 50 requests while they handle one. */
const MAX_QUERIES = 45
/**
 * Connections of the index that one filtered request reads. Each costs about 15 microseconds of CPU time, and Workers on
 * the free plan have 10 ms per request.
 */
const MAX_FILTERED = 300
/** Records that DynamoDB evaluates in one query of a filtered request. */
const MIN_EVALUATED = 8
const MAX_EVALUATED = 250

/** For each shard: the last connection that was returned, `end`, or `undefined` if none was. */
export type ListPlaces = readonly (Place | 'end' | undefined)[]

/** Which connections to list. */
export interface ListRequest {
  limit: number
  places: ListPlaces | undefined
  status: Status | undefined
  environment: Environment | undefined
  /** Lists only the connections that this client can access. `undefined`: all connections. */
  apiClient: ApiClient | undefined
}

/** A connection of a list. */
export interface Listed {
  indexed: IndexedConnection
  status: Status
}

/** A page of a list. */
export interface ListPage {
  connections: Listed[]
  /** `undefined`: this is the last page. */
  places: ListPlaces | undefined
}

/** What a request has read of a shard. */
interface Shard {
  name: string
  /** The last connection that was taken, or where the page began. */
  place: Place | undefined
  /** Connections that are read and not taken yet. */
  buffer: IndexedConnection[]
  /** Where the next page begins. */
  next: Place | undefined
  isAtEnd: boolean
}

/** A list request in progress. */
interface Listing {
  index: FleetIndex
  request: ListRequest
  now: EpochSeconds
  filter: IndexFilter
  range: ExpiryRange
  pageSize: ReturnType<typeof createPageSize>
  shards: Shard[]
}

/** The part of the index that can have connections of this status. */
function toRange(status: Status | undefined, now: EpochSeconds, index: FleetIndex): ExpiryRange {
  const { neverExpires, unfinished } = index
  switch (status) {
    case 'disconnected':
      return { from: neverExpires, to: neverExpires }
    case 'expiring':
      return { from: 0, to: now + EXPIRING_SECONDS }
    case 'connected':
    case 'failing':
      return { from: 0, to: neverExpires - 1 }
    // With only one of the two tokens, they can be at either end.
    case 'reconnect_required':
      return { from: 0, to: neverExpires }
    case 'unfinished':
    case undefined:
      return { from: 0, to: unfinished }
  }
}

/** The shard whose next connection comes first. */
function findFirst(one: Shard, other: Shard): Shard {
  const [left, right] = [one.buffer[0]?.place, other.buffer[0]?.place]
  if (!left || !right) return left ? one : other
  return left.diesAt < right.diesAt || (left.diesAt === right.diesAt && left.companyKey <= right.companyKey)
    ? one
    : other
}

/** Where the next list page continues in this shard. */
function nextPlace({ place, buffer, next, isAtEnd }: Shard) {
  if (buffer.length > 0) return place
  return isAtEnd ? ('end' as const) : next
}

function needsPage({ buffer, isAtEnd }: Shard): boolean {
  return buffer.length === 0 && !isAtEnd
}

/** How many records to read of each shard at a time. */
function createPageSize({ limit, status, environment, apiClient }: ListRequest, shards: number) {
  const isFiltered = status !== undefined || environment !== undefined || apiClient !== undefined
  let evaluated = 0
  let returned = 0
  return {
    /**
     * Estimates from the pages so far how many records to evaluate for the connections that the request can still read.
     */
    next(): number {
      if (!isFiltered) return Math.max(MIN_EVALUATED, Math.ceil(limit / 8))
      const perReturned = evaluated === 0 ? 1 : evaluated / Math.max(returned, 1)
      const size = Math.floor((perReturned * (MAX_FILTERED - returned)) / shards)
      return Math.min(Math.max(size, MIN_EVALUATED), MAX_EVALUATED)
    },
    count(pageSize: number, connections: number): void {
      evaluated += pageSize
      returned += connections
    },
    isUsedUp: () => isFiltered && returned >= MAX_FILTERED,
  }
}

function createListing(index: FleetIndex, request: ListRequest, now: EpochSeconds): Listing {
  const { status, environment, apiClient, places } = request
  const shards = index.shards.map((name, position) => {
    const given = places?.[position]
    const place = given === 'end' ? undefined : given
    return { name, place, buffer: [], next: place, isAtEnd: given === 'end' }
  })
  return {
    ...{ index, request, now, shards },
    filter: { status, environment, companies: apiClient?.companies, now },
    range: toRange(status, now, index),
    pageSize: createPageSize(request, index.shards.length),
  }
}

/** Reads the next page of a shard. */
async function readPage({ index, range, filter, pageSize }: Listing, shard: Shard, size: number): Promise<void> {
  shard.place = shard.next
  const { connections, next } = await index.page(shard.name, range, shard.place, size, filter)
  pageSize.count(size, connections.length)
  Object.assign(shard, { buffer: connections, next, isAtEnd: next === undefined })
}

/** The connection as it is listed. `undefined`: it does not match the request. */
function toListed({ request, now }: Listing, indexed: IndexedConnection): Listed | undefined {
  const { status: wanted, environment, apiClient } = request
  const { connection } = indexed
  if (isExpired(indexed, now) || (apiClient && !canAccess(apiClient, connection.companyKey))) return undefined
  const status = connectionStatus(connection, indexed, now)
  if (wanted !== undefined && status !== wanted) return undefined
  if (environment !== undefined && connection.environment !== environment) return undefined
  return { indexed, status }
}

/** Takes the next connection of all shards. `undefined`: there is none. */
function takeNext(shards: Shard[]): IndexedConnection | undefined {
  const first = shards.reduce(findFirst)
  const indexed = first.buffer.shift()
  if (indexed) first.place = indexed.place
  return indexed
}

/** Lists connections until the limit, the end of the index, or what a request can read. */
async function listConnections(listing: Listing): Promise<Listed[]> {
  const { request, shards, pageSize } = listing
  const connections: Listed[] = []
  for (let queries = 0; connections.length < request.limit; ) {
    const empty = shards.filter(needsPage)
    queries += empty.length
    if (empty.length > 0 && (queries > MAX_QUERIES || pageSize.isUsedUp())) break
    const size = pageSize.next()
    await Promise.all(empty.map((shard) => readPage(listing, shard, size)))
    // A page can be empty without being the last one. The order is known once each shard has a connection or has ended.
    if (shards.some(needsPage)) continue
    const indexed = takeNext(shards)
    if (!indexed) break
    const listed = toListed(listing, indexed)
    if (listed) connections.push(listed)
  }
  return connections
}

/**
 * Creates the function that lists connections, soonest to expire first. It merges the shards of the index, and reads each
 * shard page by page. A list page can be short or even empty if few connections match, because one request reads a
 * limited number of records. The places of a page say where the next one continues. Throws `storage_unavailable`.
 */
export function createList(index: FleetIndex) {
  return async (request: ListRequest, now: EpochSeconds): Promise<ListPage> => {
    const listing = createListing(index, request, now)
    const connections = await listConnections(listing)
    const places = listing.shards.map(nextPlace)
    return { connections, places: places.every((place) => place === 'end') ? undefined : places }
  }
}
