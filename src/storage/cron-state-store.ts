import * as v from 'valibot'
import type { CronState, CronStateStore } from '../fleet/ports.ts'
import { attributes, text } from './attribute-values.ts'
import type { DynamoDb } from './dynamodb.ts'
import { fromJson } from './json.ts'

/*
 * pk      S   cron#fleet
 * round   S   what one run of the cron leaves for the next, and the last summary, as JSON. The cron alone writes it
 *
 * pk           S   cron#expired
 * expires_at   N   TTL, in the past from the beginning: DynamoDB deletes it within days, or expiry is off
 */

function cronStateKey() {
  return attributes({ pk: 'cron#fleet' })
}
export function expiredKey() {
  return attributes({ pk: 'cron#expired' })
}

function count() {
  return v.number()
}
function countsSchema() {
  return v.object({
    connected: count(),
    expiring: count(),
    failing: count(),
    reconnect_required: count(),
    unfinished: count(),
    disconnected: count(),
  })
}
function alertSchema() {
  return v.object({ id: v.string(), type: v.string(), at: v.number(), data: v.record(v.string(), v.unknown()) })
}
/** A note as it is stored, short: company key, what the record says, what was told. */
function noteSchema() {
  return v.pipe(
    v.tuple([v.string(), v.nullable(v.string()), v.string()]),
    v.transform(([companyKey, before, told]) => ({ companyKey, before: before ?? undefined, told })),
  )
}
function cronStateSchema() {
  return v.object({
    rounds: v.optional(count(), 0),
    shard: count(),
    after: v.optional(v.object({ diesAt: count(), companyKey: v.string() })),
    counts: countsSchema(),
    summary: v.optional(v.object({ counts: countsSchema(), countedAt: count() })),
    alertsSince: v.optional(count()),
    windows: v.record(v.string(), v.object({ since: count(), count: count(), round: v.optional(count()) })),
    pendingAlerts: v.optional(v.array(alertSchema()), []),
    pendingNotes: v.optional(v.array(noteSchema()), []),
    plantedOn: count(),
  })
}

function formatCronState({ pendingNotes, ...round }: CronState) {
  const notes = pendingNotes.map(({ companyKey, before, told }) => [companyKey, before ?? null, told])
  return JSON.stringify({ ...round, pendingNotes: notes })
}

const UNKNOWN = { after: undefined, summary: undefined, alertsSince: undefined }

/** What the cron keeps between its runs: one item, so that a run reads and writes it once. */
export function createCronStateStore(dynamo: DynamoDb): CronStateStore {
  return {
    async load(): Promise<CronState | undefined> {
      const item = await dynamo.getItem({ Key: cronStateKey(), ConsistentRead: true })
      const round = item && fromJson(cronStateSchema(), text(item, 'round'))
      return round && { ...UNKNOWN, ...round }
    },

    async save(round) {
      await dynamo.putItem({ Item: { ...cronStateKey(), ...attributes({ round: formatCronState(round) }) } })
    },

    async plant(now) {
      await dynamo.putItem({
        Item: { ...expiredKey(), ...attributes({ expires_at: now }) },
        ConditionExpression: 'attribute_not_exists(pk)',
      })
    },
  }
}
