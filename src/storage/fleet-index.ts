import type { ExpiryRange, FleetIndex, IndexedConnection, IndexFilter, IndexPage, Place } from '../fleet/ports.ts'
import { attributes, digits, integer, text } from './attribute-values.ts'
import { all, isSameText, recordExists } from './conditions.ts'
import { connectionKey, parseConnection } from './connection-item.ts'
import type { DynamoDb, Item } from './dynamodb.ts'
import { filterExpression } from './fleet-filter.ts'
import { FLEET_SHARDS, NEVER_EXPIRES } from './fleet-keys.ts'

const PK_PREFIX = 'connection#'

function parseIndexedConnection(item: Item): IndexedConnection {
  const place = parsePlace(item)
  const connection = parseConnection(item, place.companyKey)
  return {
    connection,
    // The index holds no token. The expiry of an access token comes and goes with it.
    holdsAccessToken: connection.accessTokenExpiresAt !== undefined,
    holdsRefreshToken: place.diesAt !== NEVER_EXPIRES,
    place,
    expiresAt: integer(item, 'expires_at'),
    lastNotified: text(item, 'alerted'),
  }
}

/** The place of an item or of a `LastEvaluatedKey`. `dies_at` stays as it is: a fraction of it is part of the key. */
function parsePlace(item: Item): Place {
  // Not `company_key`: a record written by hand may lack it.
  const companyKey = (text(item, 'pk') ?? '').slice(PK_PREFIX.length)
  return { diesAt: Number(digits(item, 'dies_at') ?? 0), companyKey }
}

function startKey(shard: string, { diesAt, companyKey }: Place) {
  return attributes({ fleet_shard: shard, dies_at: diesAt, pk: `${PK_PREFIX}${companyKey}` })
}

/** Lists connections by expiry, from the index that `DYNAMODB_FLEET_INDEX` names. */
export function createFleetIndex(dynamo: DynamoDb, indexName: () => string): FleetIndex {
  return {
    shards: FLEET_SHARDS,
    neverExpires: NEVER_EXPIRES,

    async page(
      shard: string,
      { from, to }: ExpiryRange,
      after: Place | undefined,
      limit: number,
      filter?: IndexFilter,
    ): Promise<IndexPage> {
      const { expression, values } = filterExpression(filter)
      const { items, lastKey } = await dynamo.query({
        IndexName: indexName(),
        KeyConditionExpression: 'fleet_shard = :shard AND dies_at BETWEEN :from AND :to',
        ExpressionAttributeValues: attributes({ ':shard': shard, ':from': from, ':to': to, ...values }),
        ...(expression === undefined ? {} : { FilterExpression: expression }),
        Limit: limit,
        ...(after ? { ExclusiveStartKey: startKey(shard, after) } : {}),
      })
      return { connections: items.map(parseIndexedConnection), next: lastKey && parsePlace(lastKey) }
    },

    async setLastNotified(companyKey, before, lastNotified) {
      const unchanged = all(recordExists(), isSameText('alerted', before))
      await dynamo.updateItem({
        Key: connectionKey(companyKey),
        UpdateExpression: 'SET alerted = :alerted',
        ConditionExpression: unchanged.expression,
        ExpressionAttributeValues: { ...unchanged.values, ...attributes({ ':alerted': lastNotified }) },
      })
    },
  }
}
