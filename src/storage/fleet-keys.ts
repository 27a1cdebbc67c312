import type { EpochSeconds } from '../broker/connection.ts'
import { firstExpiry } from '../broker/connection-status.ts'

/*
 * The keys of the index `fleet`: `fleet_shard` and `dies_at` (docs/storage-schema.md). Only connections and waiting alerts
 * have them.
 */

const SHARDS = 16
function shardName(shard: number) {
  return String(shard).padStart(2, '0')
}

/** Partitions of the index. One takes 1,000 writes a second: sixteen keep the index from being what limits the table. */
export const FLEET_SHARDS: readonly string[] = Array.from({ length: SHARDS }, (_, shard) => shardName(shard))

/** `dies_at` of a record that holds no refresh token: nothing of it can die, so it sorts last (the year 2286). */
export const NEVER_EXPIRES: EpochSeconds = 9_999_999_999
/** `dies_at` of a refresh token whose times nobody told us: it sorts first, and a refresh tells. */
const UNKNOWN: EpochSeconds = 0

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** FNV-1a, 32 bits (draft-eastlake-fnv). Company keys are ASCII, so that a character is a byte. */
function fnv1a(text: string): number {
  let hash = FNV_OFFSET
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME)
  return hash >>> 0
}

/** The shard of a company key: the same for ever, or its record would be in the index under a shard nobody expects. */
export function fleetShard(companyKey: string): string {
  const hash = fnv1a(companyKey)
  // Both halves, as the low bits of FNV alone mix less well.
  const shard = ((hash ^ (hash >>> 16)) >>> 0) % SHARDS
  return shardName(shard)
}

/** What `fleetAttributes` looks at. The times are those that the record will hold after the write, not those of the last answer alone. */
export interface FleetRecord {
  companyKey: string
  holdsRefreshToken: boolean
  refreshTokenExpiresAt: EpochSeconds | undefined
  refreshTokenHardExpiresAt: EpochSeconds | undefined
}

function diesAt(record: FleetRecord): EpochSeconds {
  return record.holdsRefreshToken ? (firstExpiry(record) ?? UNKNOWN) : NEVER_EXPIRES
}

/** The two attributes that put a record into the fleet index, sorted by the earlier of its refresh token's two deaths. */
export function fleetAttributes(record: FleetRecord): { fleet_shard: string; dies_at: EpochSeconds } {
  return {
    fleet_shard: fleetShard(record.companyKey),
    dies_at: diesAt(record),
  }
}
