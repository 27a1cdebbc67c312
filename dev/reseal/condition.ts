import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { readInteger, readText } from '../../src/storage/attribute-values.ts'
import {
  all,
  any,
  type Condition,
  isBelow,
  isNoNumber,
  isNoText,
  isSameInteger,
  isSameText,
} from '../../src/storage/conditions.ts'
import { parseConnection } from '../../src/storage/connection-item.ts'

/** A record in DynamoDB's notation. */
export type Item = Record<string, AttributeValue>

/** The attributes that hold a token. */
export const TOKEN_ATTRIBUTES = ['access_token', 'refresh_token', 'revocation_token'] as const
export type TokenAttribute = (typeof TOKEN_ATTRIBUTES)[number]

/** By then, the holder of a lapsed lease has ended: it has 25 s, and clocks can differ by 10 s. */
const LAPSED_FOR_MS = 60_000

/** Whether a lease lapsed without a release or a takeover: its refresh was cut short. `now` is in epoch ms. */
export const hasLapsedLease = (item: Item, now: number): boolean => {
  const { lease } = parseConnection(item, '')
  return lease !== undefined && lease.until < now - LAPSED_FOR_MS
}

/**
 * The record is still as it was read. A refresh recognises its refresh token by the hash. Without a hash, it compares the
 * token, so no live lease may exist while the token is re-encrypted. Absent, NULL, empty and mistyped attributes are equal,
 * as for the reader.
 */
export const isUnchanged = (item: Item, now: number): Condition => {
  const hash = readText(item, 'refresh_token_hash')
  const unchanged = all(
    isSameInteger('generation', readInteger(item, 'generation') ?? 0),
    isSameText('refresh_token_hash', hash),
    ...TOKEN_ATTRIBUTES.map((name) => isSameText(name, readText(item, name))),
  )
  if (hash !== undefined) return unchanged
  const isLapsed = isBelow('lease_until', now - LAPSED_FOR_MS, ':lapsed')
  return all(unchanged, any(isNoText('lease_owner'), isNoNumber('lease_until'), isLapsed))
}
