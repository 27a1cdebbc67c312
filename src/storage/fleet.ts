import type { DeathRange, FleetIndex, Place, Sighting } from '../broker/fleet-ports.ts'
import { attributes, integer, text } from './attributes.ts'
import { connectionKey, connectionOf } from './connection-item.ts'
import type { DynamoDb, Item } from './dynamodb.ts'
import { FLEET_SHARDS, NOTHING_TO_DIE } from './fleet-attributes.ts'

/*
 * alerted   S   of a connection record: what the operator was last told of it. Written by the cron alone.
 */

const PK_PREFIX = 'connection#'

function sightingOf(item: Item): Sighting {
  // Not `company_key`: a record written by hand may lack it.
  const companyKey = (text(item, 'pk') ?? '').slice(PK_PREFIX.length)
  const diesAt = integer(item, 'dies_at') ?? 0
  const connection = connectionOf(item, companyKey)
  return {
    connection,
    // The index holds no token. The expiry of an access token comes and goes with it.
    holdsAccessToken: connection.accessTokenExpiresAt !== undefined,
    holdsRefreshToken: diesAt !== NOTHING_TO_DIE,
    place: { diesAt, companyKey },
    expiresAt: integer(item, 'expires_at'),
    alerted: text(item, 'alerted'),
  }
}

function startKey(shard: string, { diesAt, companyKey }: Place) {
  return attributes({ fleet_shard: shard, dies_at: diesAt, pk: `${PK_PREFIX}${companyKey}` })
}

/** The connections of the table in the order of their deaths, by the index that `DYNAMODB_FLEET_INDEX` names. */
export function fleetIndex(dynamo: DynamoDb, indexName: () => string): FleetIndex {
  return {
    shards: FLEET_SHARDS,
    nothingToDie: NOTHING_TO_DIE,

    async page(shard: string, { from, to }: DeathRange, after: Place | undefined, limit: number) {
      const { items, lastKey } = await dynamo.query({
        IndexName: indexName(),
        KeyConditionExpression: 'fleet_shard = :shard AND dies_at BETWEEN :from AND :to',
        ExpressionAttributeValues: attributes({ ':shard': shard, ':from': from, ':to': to }),
        Limit: limit,
        ...(after ? { ExclusiveStartKey: startKey(shard, after) } : {}),
      })
      return { sightings: items.map(sightingOf), more: lastKey !== undefined }
    },

    async noteAlerted(companyKey, before, told) {
      await dynamo.updateItem({
        Key: connectionKey(companyKey),
        UpdateExpression: 'SET alerted = :told',
        ConditionExpression: `attribute_exists(pk) AND ${before === undefined ? 'attribute_not_exists(alerted)' : 'alerted = :before'}`,
        ExpressionAttributeValues: attributes({ ':told': told, ':before': before }),
      })
    },
  }
}
