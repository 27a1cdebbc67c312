import type { EpochSeconds, StoredTokenPair } from '../broker/connection.ts'
import { attributes, integer } from './attribute-values.ts'
import { absent, any, isNoNumber, isNumber } from './conditions.ts'
import type { Item } from './dynamodb.ts'
import { fleetAttributes } from './fleet-keys.ts'

/**
 * `generation + 1` is an error if the attribute exists and is not a number. The reader treats such a record as generation
 * 0, so `odd` sets the generation to 1.
 */
export const NEXT_GENERATION = {
  usual: {
    assignment: 'generation = if_not_exists(generation, :zero) + :one',
    condition: any(absent('generation'), isNumber('generation')),
    values: attributes({ ':zero': 0, ':one': 1 }),
  },
  odd: { assignment: 'generation = :one', condition: isNoNumber('generation'), values: attributes({ ':one': 1 }) },
}

/** How a write raises the generation. `item`: the item that refused a first attempt. */
export function nextGeneration(item?: Item) {
  const isOdd = item !== undefined && 'generation' in item && integer(item, 'generation') === undefined
  return isOdd ? NEXT_GENERATION.odd : NEXT_GENERATION.usual
}

/**
 * The attributes of a stored token pair. `hardExpiresAt` is the value of the record if Intuit's response does not have
 * one.
 */
export function tokenPairAttributes(
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
    ...fleetAttributes({
      companyKey,
      holdsRefreshToken: true,
      refreshTokenExpiresAt: pair.refreshTokenExpiresAt,
      refreshTokenHardExpiresAt: hardExpiresAt,
    }),
  }
}
