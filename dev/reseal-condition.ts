import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { TokenName } from '../src/broker/ports/crypto.ts'

export type Item = Record<string, AttributeValue>

export const TOKEN_NAMES: readonly TokenName[] = ['access_token', 'refresh_token']

/** A holder that outlived its lease has ended by then: it has 25 s, and clocks may be 10 s off. */
const LAPSED_FOR_MS = 60_000

/** Nobody gave the lease back, and nobody has taken it over. */
export const hasLapsed = (item: Item, now: number) => Number(item['lease_until']?.N ?? now) < now - LAPSED_FOR_MS

/** What the record must still be when it is written: nobody refreshed it, or is at it where only the token itself tells. */
export const unchanged = (item: Item, now: number) => {
  const names = ['generation', 'refresh_token_hash', ...TOKEN_NAMES]
  const conditions = names.map((name) => (item[name] ? `${name} = :was_${name}` : `attribute_not_exists(${name})`))
  const values = Object.fromEntries(names.flatMap((name) => (item[name] ? [[`:was_${name}`, item[name]]] : [])))
  if (item['refresh_token_hash']) return { condition: conditions.join(' AND '), values }
  return {
    condition: [...conditions, '(attribute_not_exists(lease_until) OR lease_until < :lapsed)'].join(' AND '),
    values: { ...values, ':lapsed': { N: String(now - LAPSED_FOR_MS) } },
  }
}
