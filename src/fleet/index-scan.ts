import type { EpochSeconds } from '../broker/connection.ts'
import { connectionStatus } from '../broker/connection-status.ts'
import type {
  Counts,
  CronState,
  FleetIndex,
  IndexedConnection,
  Place,
  UnfinishedCount,
  UnfinishedRest,
} from './ports.ts'

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
export type ScanPosition = Pick<
  CronState,
  'completedScans' | 'shard' | 'after' | 'counts' | 'summary' | 'rest' | 'unfinished'
>

/** The position before the first scan. */
export function firstPosition(): ScanPosition {
  const start = { completedScans: 0, shard: 0, after: undefined, counts: noCounts(), summary: undefined }
  return { ...start, rest: [], unfinished: { left: [], count: 0, total: 0 } }
}

/** Whether the last scans left more unfinished records than a page has. Then the next one reads none of them. */
function isFlooded({ left, total }: UnfinishedCount): boolean {
  return left.length > 0 || total > PAGE_SIZE
}

/** Whether an unfinished record has expired. DynamoDB deletes it later. */
export function isExpired({ expiresAt }: IndexedConnection, now: EpochSeconds): boolean {
  return expiresAt !== undefined && expiresAt <= now
}

/** Reads a page of connections. `rest` are the unfinished records of the shard, if it has more than the page. */
async function readPage(index: FleetIndex, shard: string, after: Place | undefined, includesUnfinished: boolean) {
  const to = includesUnfinished ? index.unfinished : index.neverExpires
  const { connections, next } = await index.page(shard, { from: 0, to }, after, PAGE_SIZE)
  if (next && next.diesAt < index.unfinished) return { connections, next, rest: [] }
  const rest = next || !includesUnfinished ? [{ shard, after: next }] : []
  return { connections, next: undefined, rest }
}

/** The position after a complete scan. A count in progress goes on. Otherwise the rest of this scan is counted. */
function completeScan(from: ScanPosition, counts: Counts, rest: readonly UnfinishedRest[], now: EpochSeconds) {
  const { completedScans, unfinished } = from
  const isCounting = unfinished.left.length > 0
  const start = { ...firstPosition(), completedScans: completedScans + 1, summary: { counts, countedAt: now } }
  const total = rest.length > 0 ? unfinished.total : 0
  return { ...start, unfinished: isCounting ? unfinished : { left: rest, count: 0, total } }
}

/**
 * Continues the scan of the index at `from`, connections first. Reads `maxPages` pages at most, and stops at the end of
 * the index. Counts each connection and passes it to `visit`. Leaves a shard as soon as only unfinished records follow:
 * an anonymous caller can create any number of them. `countUnfinished` counts those. Throws `storage_unavailable`.
 */
export async function scanIndex(
  index: FleetIndex,
  from: ScanPosition,
  { maxPages, now }: { maxPages: number; now: EpochSeconds },
  visit: (indexed: IndexedConnection) => void,
): Promise<ScanPosition> {
  const includesUnfinished = !isFlooded(from.unfinished)
  const rest = [...from.rest]
  let { shard, after } = from
  const counts = { ...from.counts }
  for (let page = 0; page < maxPages; page++) {
    const read = await readPage(index, index.shards[shard] ?? '', after, includesUnfinished)
    for (const indexed of read.connections.filter((one) => !isExpired(one, now))) {
      counts[connectionStatus(indexed.connection, indexed, now)]++
      visit(indexed)
    }
    rest.push(...read.rest)
    after = read.next
    if (!after) shard++
    if (shard >= index.shards.length) return completeScan(from, counts, rest, now)
  }
  return { ...from, shard, after, counts, rest }
}
