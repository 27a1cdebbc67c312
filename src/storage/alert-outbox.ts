import * as v from 'valibot'
import type { EpochSeconds } from '../broker/connection.ts'
import type { Outbox, WaitingAlert } from '../fleet/ports.ts'
import { attributes, integer, text } from './attribute-values.ts'
import type { DynamoDb, Item } from './dynamodb.ts'
import { fromJson } from './json.ts'

/*
 * The item `outbox#<alert id>`. docs/storage-schema.md describes its attributes. Waiting alerts have a shard of their own
 * in the fleet index, so that no scan is needed to find them.
 */

const SHARD = 'outbox'
const KEPT_SECONDS = 3 * 24 * 3600
/** Queries for the alerts that are due. */
const DUE_PAGES = 3

type QueryInput = Parameters<DynamoDb['query']>[0]

/** An alert as it is stored, here and in the cron state. */
export const ALERT_SCHEMA = v.object({
  id: v.string(),
  type: v.string(),
  at: v.number(),
  data: v.record(v.string(), v.unknown()),
})

function key(id: string) {
  return attributes({ pk: `outbox#${id}` })
}

function parseWaitingAlert(item: Item | undefined): WaitingAlert[] {
  const alert = item && fromJson(ALERT_SCHEMA, text(item, 'message'))
  return alert ? [{ alert, attempts: integer(item, 'attempts') ?? 0, since: integer(item, 'created_at') ?? 0 }] : []
}

/** An empty page may not be the last one. */
async function findDueKeys(dynamo: DynamoDb, index: string, now: EpochSeconds, limit: number): Promise<string[]> {
  const keys: string[] = []
  let start: QueryInput['ExclusiveStartKey']
  for (let page = 0; page < DUE_PAGES && keys.length < limit; page++) {
    const { items, lastKey } = await dynamo.query({
      IndexName: index,
      KeyConditionExpression: 'fleet_shard = :shard AND dies_at <= :now',
      ExpressionAttributeValues: attributes({ ':shard': SHARD, ':now': now }),
      Limit: limit - keys.length,
      ...(start ? { ExclusiveStartKey: start } : {}),
    })
    keys.push(...items.flatMap((item) => text(item, 'pk') ?? []))
    if (!lastKey) break
    start = attributes({
      fleet_shard: SHARD,
      dies_at: integer(lastKey, 'dies_at'),
      pk: text(lastKey, 'pk'),
    })
  }
  return keys
}

/** Alerts that wait for delivery. Idempotent. */
export function createAlertOutbox(dynamo: DynamoDb, indexName: () => string): Outbox {
  return {
    async put(alert, now, nextAttemptAt) {
      await dynamo.putItem({
        Item: attributes({
          pk: `outbox#${alert.id}`,
          fleet_shard: SHARD,
          dies_at: nextAttemptAt,
          message: JSON.stringify(alert),
          attempts: 0,
          created_at: now,
          expires_at: now + KEPT_SECONDS,
        }),
        ConditionExpression: 'attribute_not_exists(pk)',
      })
    },

    async findDue(now, limit) {
      const keys = await findDueKeys(dynamo, indexName(), now, limit)
      // The index does not have the message, and may still list an alert that was delivered.
      const whole = await Promise.all(
        keys.map((pk) => dynamo.getItem({ Key: attributes({ pk }), ConsistentRead: true })),
      )
      return whole.flatMap(parseWaitingAlert)
    },

    async remove(id) {
      await dynamo.deleteItem({ Key: key(id) })
    },

    async postpone(id, attempts, nextAttemptAt) {
      await dynamo.updateItem({
        Key: key(id),
        UpdateExpression: 'SET attempts = :attempts, dies_at = :next',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: attributes({ ':attempts': attempts, ':next': nextAttemptAt }),
      })
    },
  }
}
