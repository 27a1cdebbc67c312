import type { ExpiryRange, FleetIndex, IndexedConnection, IndexFilter, IndexPage, Place } from '../fleet/ports.ts'
import { readDigits, readInteger, readText, toAttributes } from './attribute-values.ts'
import { all, isSameText, recordExists } from './conditions.ts'
import { connectionKey, parseConnection } from './connection-item.ts'
import type { DynamoDb, Item } from './dynamodb.ts'
import { toFilterExpression } from './fleet-filter.ts'
import { FLEET_SHARDS, NEVER_EXPIRES, UNFINISHED } from './fleet-keys.ts'

const PK_PREFIX = 'connection#'

function parseIndexedConnection(item: Item): IndexedConnection {
  const place = parsePlace(item)
  const connection = parseConnection(item, place.companyKey)
  return {
    connection,
    // The index contains no tokens. A record has the expiry of an access token only with the token.
    holdsAccessToken: connection.accessTokenExpiresAt !== undefined,
    holdsRefreshToken: place.diesAt < NEVER_EXPIRES,
    place,
    expiresAt: readInteger(item, 'expires_at'),
    lastNotified: readText(item, 'alerted'),
  }
}

/** The place of an item or of a `LastEvaluatedKey`. Keeps a fraction of `dies_at`, because it is part of the key. */
function parsePlace(item: Item): Place {
  // A record written by hand may lack `company_key`.
  const companyKey = (readText(item, 'pk') ?? '').slice(PK_PREFIX.length)
  return { diesAt: Number(readDigits(item, 'dies_at') ?? 0), companyKey }
}

function toStartKey(shard: string, { diesAt, companyKey }: Place) {
  return toAttributes({ fleet_shard: shard, dies_at: diesAt, pk: `${PK_PREFIX}${companyKey}` })
}

/**
 * Lists connections by expiry from the index `DYNAMODB_FLEET_INDEX`. Throws `storage_unavailable` and
 * `configuration_error`.
 */
export function createFleetIndex(dynamo: DynamoDb, indexName: () => string): FleetIndex {
  return {
    shards: FLEET_SHARDS,
    neverExpires: NEVER_EXPIRES,
    unfinished: UNFINISHED,

    async page(
      shard: string,
      { from, to }: ExpiryRange,
      after: Place | undefined,
      limit: number,
      filter?: IndexFilter,
    ): Promise<IndexPage> {
      const { expression, values } = toFilterExpression(filter)
      const { items, lastKey } = await dynamo.query({
        IndexName: indexName(),
        KeyConditionExpression: 'fleet_shard = :shard AND dies_at BETWEEN :from AND :to',
        ExpressionAttributeValues: toAttributes({ ':shard': shard, ':from': from, ':to': to, ...values }),
        ...(expression === undefined ? {} : { FilterExpression: expression }),
        Limit: limit,
        ...(after ? { ExclusiveStartKey: toStartKey(shard, after) } : {}),
      })
      return { connections: items.map(parseIndexedConnection), next: lastKey && parsePlace(lastKey) }
    },

    async countUnfinished(shard, after, now) {
      const { count, lastKey } = await dynamo.query({
        IndexName: indexName(),
        Select: 'COUNT',
        KeyConditionExpression: 'fleet_shard = :shard AND dies_at = :unfinished',
        // DynamoDB can take days to delete an expired record.
        FilterExpression: 'NOT expires_at <= :now',
        ExpressionAttributeValues: toAttributes({ ':shard': shard, ':unfinished': UNFINISHED, ':now': now }),
        ...(after ? { ExclusiveStartKey: toStartKey(shard, after) } : {}),
      })
      return { count, next: lastKey && parsePlace(lastKey) }
    },

    async setLastNotified(companyKey, before, lastNotified) {
      const unchanged = all(recordExists(), isSameText('alerted', before))
      await dynamo.updateItem({
        Key: connectionKey(companyKey),
        UpdateExpression: 'SET alerted = :alerted',
        ConditionExpression: unchanged.expression,
        ExpressionAttributeValues: { ...unchanged.values, ...toAttributes({ ':alerted': lastNotified }) },
      })
    },
  }
}
