import type { EpochSeconds } from './connection.ts'
import type { Counts, FleetIndex, FleetSummary, Place, Sighting } from './fleet-ports.ts'
import { statusOf } from './status.ts'

/** Some 250 KB an answer. */
const PAGE = 500

export function noCounts(): Counts {
  return {
    connected: 0,
    expiring: 0,
    failing: 0,
    reconnect_required: 0,
    unfinished: 0,
    disconnected: 0,
  }
}

/** Where a sweep stands. */
export interface Swept {
  shard: number
  after: Place | undefined
  counts: Counts
  summary: FleetSummary | undefined
}

/** An unfinished record that has ended, and that DynamoDB has yet to delete. */
export function isOver({ expiresAt }: Sighting, now: EpochSeconds) {
  return expiresAt !== undefined && expiresAt <= now
}

/**
 * Goes on with the round over the whole index where `from` stands, for at most so many pages, and at most once round.
 * Shows each connection to `look`, and counts it.
 */
export function sweeping(index: FleetIndex) {
  return async (from: Swept, pages: number, now: EpochSeconds, look: (sighting: Sighting) => void): Promise<Swept> => {
    const range = { from: 0, to: index.nothingToDie }
    let { shard, after, summary } = from
    const counts = { ...from.counts }
    for (let page = 0; page < pages; page++) {
      const { sightings, more } = await index.page(index.shards[shard] ?? '', range, after, PAGE)
      for (const sighting of sightings.filter((one) => !isOver(one, now))) {
        counts[statusOf(sighting.connection, sighting, now)]++
        look(sighting)
      }
      after = more ? sightings.at(-1)?.place : undefined
      if (!after) shard++
      if (shard < index.shards.length) continue
      summary = { counts, countedAt: now }
      return { shard: 0, after: undefined, counts: noCounts(), summary }
    }
    return { shard, after, counts, summary }
  }
}
