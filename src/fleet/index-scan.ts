import type { EpochSeconds } from '../broker/connection.ts'
import { connectionStatus } from '../broker/connection-status.ts'
import type { Counts, CronState, FleetIndex, IndexedConnection } from './ports.ts'

/** Connections per page: about 250 KB. */
const PAGE_SIZE = 500

/** Counts of an empty fleet. */
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

/** The position of a scan, and what it has counted. */
export type ScanPosition = Pick<CronState, 'completedScans' | 'shard' | 'after' | 'counts' | 'summary'>

/** Whether an unfinished record has expired. DynamoDB deletes it later. */
export function isExpired({ expiresAt }: IndexedConnection, now: EpochSeconds): boolean {
  return expiresAt !== undefined && expiresAt <= now
}

/**
 * Continues the scan of the whole index at `from`. Reads `maxPages` pages at most, and stops at the end of the index.
 * Counts each connection and passes it to `visit`. Throws `storage_unavailable`.
 */
export async function scanIndex(
  index: FleetIndex,
  from: ScanPosition,
  { maxPages, now }: { maxPages: number; now: EpochSeconds },
  visit: (indexed: IndexedConnection) => void,
): Promise<ScanPosition> {
  const { completedScans } = from
  const range = { from: 0, to: index.neverExpires }
  let { shard, after } = from
  const counts = { ...from.counts }
  for (let page = 0; page < maxPages; page++) {
    const { connections, next } = await index.page(index.shards[shard] ?? '', range, after, PAGE_SIZE)
    for (const indexed of connections.filter((one) => !isExpired(one, now))) {
      counts[connectionStatus(indexed.connection, indexed, now)]++
      visit(indexed)
    }
    after = next
    if (!after) shard++
    if (shard < index.shards.length) continue
    const summary = { counts, countedAt: now }
    return { completedScans: completedScans + 1, shard: 0, after: undefined, counts: noCounts(), summary }
  }
  return { completedScans, shard, after, counts, summary: from.summary }
}
