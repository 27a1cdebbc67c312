import type { EpochSeconds } from '../broker/connection.ts'
import { firstExpiry } from '../broker/connection-status.ts'

/*
 * The keys of the index `fleet`: `fleet_shard` and `dies_at` (docs/storage-schema.md). Only connections and waiting alerts
 * have them.
 */

const SHARDS = 16
function toShardName(shard: number) {
  return String(shard).padStart(2, '0')
}

/** Partitions of the index. One partition accepts 1,000 writes per second, so sixteen do not limit the table. */
export const FLEET_SHARDS: readonly string[] = Array.from({ length: SHARDS }, (_, shard) => toShardName(shard))

/** `dies_at` of a record whose refresh token was erased. It sorts after every expiry (the year 2286). */
export const NEVER_EXPIRES: EpochSeconds = 9_999_999_999
/**
 * `dies_at` of an unfinished record: later than every other, so that a scan reaches the connections first, however many
 * starts nobody finished. Earlier versions wrote `NEVER_EXPIRES`. TTL deletes those records within days.
 */
export const UNFINISHED: EpochSeconds = 10_000_000_000
/** `dies_at` of a refresh token with an unknown expiry. It sorts first, and a refresh sets the expiry. */
const UNKNOWN: EpochSeconds = 0

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** FNV-1a, 32 bits (draft-eastlake-fnv). Company keys are ASCII, so each character is one byte. */
function hashFnv1a(text: string): number {
  let hash = FNV_OFFSET
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME)
  return hash >>> 0
}

/** The shard of a company key. It must never change, because stored records have it. */
export function toFleetShard(companyKey: string): string {
  const hash = hashFnv1a(companyKey)
  // Uses both halves, because the low bits of FNV are distributed less evenly.
  const shard = ((hash ^ (hash >>> 16)) >>> 0) % SHARDS
  return toShardName(shard)
}

/** The state of the record after the write. */
export interface FleetRecord {
  companyKey: string
  holdsRefreshToken: boolean
  refreshTokenExpiresAt: EpochSeconds | undefined
  refreshTokenHardExpiresAt: EpochSeconds | undefined
}

function toDiesAt(record: FleetRecord): EpochSeconds {
  return record.holdsRefreshToken ? (firstExpiry(record) ?? UNKNOWN) : NEVER_EXPIRES
}

/** The two keys of the fleet index. It is sorted by the earlier one of the two expiries of the refresh token. */
export function toFleetAttributes(record: FleetRecord): { fleet_shard: string; dies_at: EpochSeconds } {
  return {
    fleet_shard: toFleetShard(record.companyKey),
    dies_at: toDiesAt(record),
  }
}

/** The two keys of a record that a start wrote and that no consent has completed. */
export function toUnfinishedAttributes(companyKey: string): { fleet_shard: string; dies_at: EpochSeconds } {
  return { fleet_shard: toFleetShard(companyKey), dies_at: UNFINISHED }
}
