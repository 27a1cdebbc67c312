import type { EpochSeconds, StoredTokenPair } from '../broker/connection.ts'
import { readInteger, toAttributes } from './attribute-values.ts'
import { any, isAbsent, isNoNumber, isNumber } from './conditions.ts'
import type { Item } from './dynamodb.ts'
import { toFleetAttributes } from './fleet-keys.ts'

/**
 * The two ways to raise the generation. `increment` fails if the attribute is not a number. Such a record counts as
 * generation 0, so `reset` sets it to 1.
 */
export const GENERATION_UPDATES = {
  increment: {
    assignment: 'generation = if_not_exists(generation, :zero) + :one',
    condition: any(isAbsent('generation'), isNumber('generation')),
    values: toAttributes({ ':zero': 0, ':one': 1 }),
  },
  reset: { assignment: 'generation = :one', condition: isNoNumber('generation'), values: toAttributes({ ':one': 1 }) },
}

/** Selects how a write raises the generation. `item` is the item that rejected the first attempt. */
export function selectGenerationUpdate(item?: Item) {
  const isMalformed = item !== undefined && 'generation' in item && readInteger(item, 'generation') === undefined
  return isMalformed ? GENERATION_UPDATES.reset : GENERATION_UPDATES.increment
}

/** The attributes of a stored token pair. `hardExpiresAt`: from Intuit's response, or else from the record. */
export function toTokenPairAttributes(
  companyKey: string,
  pair: StoredTokenPair,
  hardExpiresAt: EpochSeconds | undefined,
  now: EpochSeconds,
  writer: string,
) {
  return {
    access_token: pair.accessToken,
    access_token_expires_at: pair.accessTokenExpiresAt,
    refresh_token: pair.refreshToken,
    refresh_token_expires_at: pair.refreshTokenExpiresAt,
    refresh_token_hard_expires_at: hardExpiresAt,
    refresh_token_hash: pair.refreshTokenHash,
    last_refresh_at: now,
    updated_at: now,
    written_by: writer,
    ...toFleetAttributes({
      companyKey,
      holdsRefreshToken: true,
      refreshTokenExpiresAt: pair.refreshTokenExpiresAt,
      refreshTokenHardExpiresAt: hardExpiresAt,
    }),
  }
}
