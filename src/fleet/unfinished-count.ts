import type { EpochSeconds } from '../broker/connection.ts'
import type { ScanPosition } from './index-scan.ts'
import type { FleetIndex, UnfinishedCount } from './ports.ts'

/**
 * Continues the count of the unfinished records that a scan left out. Makes one query at least, so that a large fleet
 * cannot stop it, and more while `mayContinue`. Throws `storage_unavailable`.
 */
async function continueCount(
  index: FleetIndex,
  { left: [first, ...others], count, total }: UnfinishedCount,
  now: EpochSeconds,
  mayContinue: () => boolean,
): Promise<UnfinishedCount> {
  if (!first) return { left: [], count: 0, total }
  const counted = await index.countUnfinished(first.shard, first.after, now)
  const sum = count + counted.count
  const left = counted.next ? [{ shard: first.shard, after: counted.next }, ...others] : others
  if (left.length === 0) return { left: [], count: 0, total: sum }
  const next = { left, count: sum, total }
  return mayContinue() ? continueCount(index, next, now, mayContinue) : next
}

/**
 * Counts what the scan left out, and adds it to the summary if a scan completed since `before`. Until the first count is
 * complete, the summary has what is counted so far. Afterwards it has the last complete count. Throws
 * `storage_unavailable`.
 */
export async function countUnfinished(
  index: FleetIndex,
  { before, after, now }: { before: ScanPosition; after: ScanPosition; now: EpochSeconds },
  mayContinue: () => boolean,
): Promise<ScanPosition> {
  const unfinished = await continueCount(index, after.unfinished, now, mayContinue)
  const { summary } = after
  if (!summary || after.completedScans === before.completedScans) return { ...after, unfinished }
  const known = Math.max(unfinished.total, unfinished.count)
  const counts = { ...summary.counts, unfinished: summary.counts.unfinished + known }
  return { ...after, unfinished, summary: { ...summary, counts } }
}
