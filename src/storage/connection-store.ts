import type { ConnectionStore } from '../broker/ports/storage.ts'
import { toAssignedValues, toAssignments, toAttributes } from './attribute-values.ts'
import { all, isSameInteger } from './conditions.ts'
import { storeConsent } from './connection-consent.ts'
import {
  type ConnectionTable,
  connectionKey,
  HOLDS_NO_TOKENS,
  isExpired,
  NAMES_NO_REALM,
  parseConnection,
} from './connection-item.ts'
import { createConnectionLeases } from './connection-leases.ts'
import { replaceTokenPair } from './connection-tokens.ts'
import type { DynamoDb, Item, Refused } from './dynamodb.ts'
import { toUnfinishedAttributes } from './fleet-keys.ts'

/** The record is absent or unfinished: no consent was ever stored. */
export const NEVER_CONNECTED = all(NAMES_NO_REALM, HOLDS_NO_TOKENS, isSameInteger('generation', 0))

/**
 * Connection records in DynamoDB. No write needs a transaction. Every write is idempotent, because the HTTP client
 * repeats a request without a response. `requireLeaseClock` throws if the clock is too far off to acquire a lease.
 */
export function createConnectionStore(
  dynamo: DynamoDb,
  requireLeaseClock: () => void = () => undefined,
): ConnectionStore {
  const readItem = (companyKey: string) => dynamo.getItem({ Key: connectionKey(companyKey), ConsistentRead: true })

  const findRefusingItem = async (companyKey: string, refused: Refused) => refused.item ?? (await readItem(companyKey))
  const table: ConnectionTable = { dynamo, findRefusingItem }

  /** Overwrites an unfinished record that has expired but that DynamoDB has not deleted yet. */
  const overwriteExpired = async (companyKey: string, values: Parameters<typeof toAttributes>[0]): Promise<Item> => {
    const item = toAttributes({ pk: `connection#${companyKey}`, ...values })
    const put = await dynamo.putItem({
      Item: item,
      ConditionExpression: NEVER_CONNECTED.expression,
      ExpressionAttributeValues: NEVER_CONNECTED.values,
    })
    return put.refused ? ((await findRefusingItem(companyKey, put)) ?? item) : item
  }

  return {
    async read(companyKey, now) {
      const item = await readItem(companyKey)
      return item && !isExpired(item, now) ? parseConnection(item, companyKey) : undefined
    },

    async begin(companyKey, { companyName, environment, now, expiresAt }) {
      const initial = {
        company_key: companyKey,
        company_name: companyName,
        uses_sandbox_credentials: environment === 'sandbox',
        created_at: now,
        updated_at: now,
        generation: 0,
      }
      const place = toUnfinishedAttributes(companyKey)
      const ifAbsent = Object.keys(initial).map((name) => `${name} = if_not_exists(${name}, :${name})`)
      const begun = await dynamo.updateItem({
        Key: connectionKey(companyKey),
        // The place is always written, so that another start moves a record of an earlier version.
        UpdateExpression: `SET ${ifAbsent.join(', ')}, ${toAssignments({ ...place, expires_at: expiresAt })}`,
        ConditionExpression: NEVER_CONNECTED.expression,
        ExpressionAttributeValues: {
          ...toAssignedValues({ ...initial, ...place, expires_at: expiresAt }),
          ...NEVER_CONNECTED.values,
        },
        ReturnValues: 'ALL_OLD',
      })
      if (begun.refused) return parseConnection((await findRefusingItem(companyKey, begun)) ?? {}, companyKey)
      const before = begun.attributes
      const item = isExpired(before, now)
        ? await overwriteExpired(companyKey, { ...initial, ...place, expires_at: expiresAt })
        : before
      return parseConnection({ ...toAttributes(initial), ...item }, companyKey)
    },

    connect: (companyKey, consent) => storeConsent(table, companyKey, consent),
    replace: (used, successor, end) => replaceTokenPair(table, used, successor, end),
    ...createConnectionLeases(table, requireLeaseClock),
  }
}
