import type { EpochSeconds } from '../broker/connection.ts'
import { connectionStatus } from '../broker/connection-status.ts'
import type { Counts, FleetIndex, FleetSummary, IndexedConnection, Place } from './ports.ts'

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
export interface ScanPosition {
  /** Whole rounds so far. */
  rounds: number
  shard: number
  after: Place | undefined
  counts: Counts
  summary: FleetSummary | undefined
}

/** An unfinished record that has ended, and that DynamoDB has yet to delete. */
export function isOver({ expiresAt }: IndexedConnection, now: EpochSeconds) {
  return expiresAt !== undefined && expiresAt <= now
}

/**
 * Goes on with the round over the whole index where `from` stands, for at most so many pages, and at most once round.
 * Shows each connection to `look`, and counts it.
 */
export function createIndexScan(index: FleetIndex) {
  return async (
    from: ScanPosition,
    pages: number,
    now: EpochSeconds,
    look: (indexed: IndexedConnection) => void,
  ): Promise<ScanPosition> => {
    const range = { from: 0, to: index.neverExpires }
    let { shard, after } = from
    const counts = { ...from.counts }
    for (let page = 0; page < pages; page++) {
      const { connections, next } = await index.page(index.shards[shard] ?? '', range, after, PAGE)
      for (const indexed of connections.filter((one) => !isOver(one, now))) {
        counts[connectionStatus(indexed.connection, indexed, now)]++
        look(indexed)
      }
      after = next
      if (!after) shard++
      if (shard < index.shards.length) continue
      const summary = { counts, countedAt: now }
      return { rounds: from.rounds + 1, shard: 0, after: undefined, counts: noCounts(), summary }
    }
    return { rounds: from.rounds, shard, after, counts, summary: from.summary }
  }
}
