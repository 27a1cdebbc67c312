import type { Environment } from './company.ts'
import type { EpochSeconds } from './connection.ts'
import type { DeathRange, FleetIndex, Place, Sighting } from './fleet-ports.ts'
import { EXPIRING_SECONDS, type Status, statusOf } from './status.ts'
import { isOver } from './sweep.ts'

/** Workers on the free plan send 50 requests for one of their own at the most. */
const MAX_QUERIES = 45
/** What is asked of a shard at a time where most of it may not be wanted. */
const FILTERED_PAGE = 100

/** For each shard: the last connection that was passed, `end`, or `undefined` where none was. */
export type ListPlaces = readonly (Place | 'end' | undefined)[]

export interface ListRequest {
  limit: number
  places: ListPlaces | undefined
  status: Status | undefined
  environment: Environment | undefined
  /** Which companies the caller may see; `undefined`: all. */
  reaches: ((companyKey: string) => boolean) | undefined
}

export interface Listed {
  sighting: Sighting
  status: Status
}

/** `places` is `undefined` at the end. */
export interface ListPage {
  connections: Listed[]
  places: ListPlaces | undefined
}

interface Shard {
  name: string
  place: Place | undefined
  ahead: Sighting[]
  more: boolean
}

/** Where in the index a status can be. */
function rangeOf(status: Status | undefined, now: EpochSeconds, nothingToDie: EpochSeconds): DeathRange {
  switch (status) {
    case 'disconnected':
      return { from: nothingToDie, to: nothingToDie }
    case 'expiring':
      return { from: 0, to: now + EXPIRING_SECONDS }
    case 'connected':
    case 'failing':
      return { from: 0, to: nothingToDie - 1 }
    // With one token of two they can be at either end.
    case 'unfinished':
    case 'reconnect_required':
    case undefined:
      return { from: 0, to: nothingToDie }
  }
}

function earlier(one: Shard, other: Shard) {
  const [left, right] = [one.ahead[0]?.place, other.ahead[0]?.place]
  if (!left || !right) return left ? one : other
  return left.diesAt < right.diesAt || (left.diesAt === right.diesAt && left.companyKey <= right.companyKey)
    ? one
    : other
}

function placeAfter({ place, ahead, more }: Shard) {
  return more || ahead.length > 0 ? place : ('end' as const)
}

/**
 * Connections, next to die first: the shards of the index merged, each read a page at a time. A page may be short, and
 * even empty, where few of many are wanted: what a request may ask is bounded, and its places tell where to go on.
 */
export function listing(index: FleetIndex) {
  const begin = (places: ListPlaces | undefined): Shard[] =>
    index.shards.map((name, position) => {
      const place = places?.[position]
      return { name, place: place === 'end' ? undefined : place, ahead: [], more: place !== 'end' }
    })

  return async (request: ListRequest, now: EpochSeconds): Promise<ListPage> => {
    const { limit, status, environment, reaches } = request
    const range = rangeOf(status, now, index.nothingToDie)
    const isFiltered = status !== undefined || environment !== undefined || reaches !== undefined
    const page = isFiltered ? FILTERED_PAGE : Math.max(10, Math.ceil(limit / 4))
    const shards = begin(request.places)
    const connections: Listed[] = []

    const fill = async (shard: Shard) => {
      const { sightings, more } = await index.page(shard.name, range, shard.place, page)
      Object.assign(shard, { ahead: sightings, more })
    }
    const consider = (sighting: Sighting) => {
      const { connection } = sighting
      if (isOver(sighting, now) || reaches?.(connection.companyKey) === false) return
      const found = statusOf(connection, sighting, now)
      if (status !== undefined && found !== status) return
      if (environment !== undefined && connection.environment !== environment) return
      connections.push({ sighting, status: found })
    }

    for (let queries = 0; connections.length < limit; ) {
      const dry = shards.filter(({ ahead, more }) => more && ahead.length === 0)
      queries += dry.length
      if (queries > MAX_QUERIES) break
      await Promise.all(dry.map(fill))
      const next = shards.reduce(earlier)
      const sighting = next.ahead.shift()
      if (sighting) {
        next.place = sighting.place
        consider(sighting)
      } else if (!shards.some(({ more }) => more)) break
    }
    const places = shards.map(placeAfter)
    return { connections, places: places.every((place) => place === 'end') ? undefined : places }
  }
}
