import * as v from 'valibot'
import type { EpochSeconds } from '../broker/connection.ts'
import type { Outbox, WaitingAlert } from '../fleet/ports.ts'
import { readInteger, readJson, readText, toAttributes } from './attribute-values.ts'
import type { DynamoDb, Item } from './dynamodb.ts'

/*
 * The item `outbox#<alert id>`. docs/storage-schema.md describes its attributes. Waiting alerts have a shard of their own
 * in the fleet index, so that no scan is needed to find them.
 */

const SHARD = 'outbox'
const RETENTION_SECONDS = 3 * 24 * 3600
/** Maximum number of queries for due alerts. */
const MAX_DUE_PAGES = 3

type QueryInput = Parameters<DynamoDb['query']>[0]

/** The stored form of an alert, here and in the cron state. */
export const ALERT_SCHEMA = v.object({
  id: v.string(),
  type: v.string(),
  at: v.number(),
  data: v.record(v.string(), v.unknown()),
})

function toKey(id: string) {
  return toAttributes({ pk: `outbox#${id}` })
}

function parseWaitingAlert(item: Item | undefined): WaitingAlert[] {
  const alert = item && readJson(item, 'message', ALERT_SCHEMA)
  return alert
    ? [{ alert, attempts: readInteger(item, 'attempts') ?? 0, since: readInteger(item, 'created_at') ?? 0 }]
    : []
}

/** Reads several pages, because a page can be empty without being the last. */
async function findDueKeys(dynamo: DynamoDb, index: string, now: EpochSeconds, limit: number): Promise<string[]> {
  const keys: string[] = []
  let start: QueryInput['ExclusiveStartKey']
  for (let page = 0; page < MAX_DUE_PAGES && keys.length < limit; page++) {
    const { items, lastKey } = await dynamo.query({
      IndexName: index,
      KeyConditionExpression: 'fleet_shard = :shard AND dies_at <= :now',
      ExpressionAttributeValues: toAttributes({ ':shard': SHARD, ':now': now }),
      Limit: limit - keys.length,
      ...(start ? { ExclusiveStartKey: start } : {}),
    })
    keys.push(...items.flatMap((item) => readText(item, 'pk') ?? []))
    if (!lastKey) break
    start = toAttributes({
      fleet_shard: SHARD,
      dies_at: readInteger(lastKey, 'dies_at'),
      pk: readText(lastKey, 'pk'),
    })
  }
  return keys
}

/** Stores the alerts that wait for delivery. Every call is idempotent and may throw `storage_unavailable`. */
export function createAlertOutbox(dynamo: DynamoDb, indexName: () => string): Outbox {
  return {
    async put(alert, now, nextAttemptAt) {
      await dynamo.putItem({
        Item: toAttributes({
          pk: `outbox#${alert.id}`,
          fleet_shard: SHARD,
          dies_at: nextAttemptAt,
          message: JSON.stringify(alert),
          attempts: 0,
          created_at: now,
          expires_at: now + RETENTION_SECONDS,
        }),
        ConditionExpression: 'attribute_not_exists(pk)',
      })
    },

    async findDue(now, limit) {
      const keys = await findDueKeys(dynamo, indexName(), now, limit)
      // The index does not contain the message, and can still list a delivered alert.
      const items = await Promise.all(
        keys.map((pk) => dynamo.getItem({ Key: toAttributes({ pk }), ConsistentRead: true })),
      )
      return items.flatMap(parseWaitingAlert)
    },

    async remove(id) {
      await dynamo.deleteItem({ Key: toKey(id) })
    },

    async postpone(id, attempts, nextAttemptAt) {
      await dynamo.updateItem({
        Key: toKey(id),
        UpdateExpression: 'SET attempts = :attempts, dies_at = :next',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeValues: toAttributes({ ':attempts': attempts, ':next': nextAttemptAt }),
      })
    },
  }
}
