import * as v from 'valibot'
import type { CronState, CronStateStore } from '../fleet/ports.ts'
import { ALERT_SCHEMA } from './alert-outbox.ts'
import { readJson, toAttributes } from './attribute-values.ts'
import type { DynamoDb } from './dynamodb.ts'

/*
 * One item with the key `cron#fleet`. Only the cron writes it. docs/storage-schema.md describes its attributes.
 */

const KEY = toAttributes({ pk: 'cron#fleet' })

const COUNTS_SCHEMA = v.object({
  connected: v.number(),
  expiring: v.number(),
  failing: v.number(),
  reconnect_required: v.number(),
  unfinished: v.number(),
  disconnected: v.number(),
})
const PLACE_SCHEMA = v.object({ diesAt: v.number(), companyKey: v.string() })
/** Stored as a tuple: company key, the value of `alerted` before, the value after. */
const PENDING_NOTIFICATION_SCHEMA = v.pipe(
  v.tuple([v.string(), v.nullable(v.string()), v.string()]),
  v.transform(([companyKey, before, after]) => ({ companyKey, before: before ?? undefined, after })),
)
const ALERT_WINDOW_SCHEMA = v.pipe(
  v.object({ since: v.number(), count: v.number(), round: v.optional(v.number()) }),
  v.transform(({ round, ...window }) => ({ ...window, ...(round === undefined ? {} : { scan: round }) })),
)
const UNFINISHED_REST_SCHEMA = v.array(
  v.pipe(
    v.object({ shard: v.string(), after: v.optional(PLACE_SCHEMA) }),
    v.transform(({ shard, after }) => ({ shard, after })),
  ),
)
/** Ignores members of earlier versions, such as `plantedOn`. */
const CRON_STATE_SCHEMA = v.pipe(
  v.object({
    rounds: v.optional(v.number(), 0),
    shard: v.number(),
    after: v.optional(PLACE_SCHEMA),
    counts: COUNTS_SCHEMA,
    summary: v.optional(v.object({ counts: COUNTS_SCHEMA, countedAt: v.number() })),
    rest: v.optional(UNFINISHED_REST_SCHEMA, []),
    unfinished: v.optional(v.object({ left: UNFINISHED_REST_SCHEMA, count: v.number(), total: v.number() }), {
      ...{ left: [], count: 0, total: 0 },
    }),
    alertsSince: v.optional(v.number()),
    windows: v.record(v.string(), ALERT_WINDOW_SCHEMA),
    pendingAlerts: v.optional(v.array(ALERT_SCHEMA), []),
    pendingNotes: v.optional(v.array(PENDING_NOTIFICATION_SCHEMA), []),
  }),
  v.transform(({ rounds, pendingNotes, ...state }) => ({
    ...state,
    completedScans: rounds,
    pendingNotifications: pendingNotes,
  })),
)

function formatCronState({ completedScans, windows, pendingNotifications, ...state }: CronState) {
  return JSON.stringify({
    ...state,
    rounds: completedScans,
    windows: Object.fromEntries(
      Object.entries(windows).map(([group, { scan, ...window }]) => [group, { ...window, round: scan }]),
    ),
    pendingNotes: pendingNotifications.map(({ companyKey, before, after }) => [companyKey, before ?? null, after]),
  })
}

const ABSENT = { after: undefined, summary: undefined, alertsSince: undefined }

/** Stores the state of the cron between runs, in one item: a run reads and writes it once. */
export function createCronStateStore(dynamo: DynamoDb): CronStateStore {
  return {
    async load(): Promise<CronState | undefined> {
      const item = await dynamo.getItem({ Key: KEY, ConsistentRead: true })
      const state = item && readJson(item, 'round', CRON_STATE_SCHEMA)
      return state && { ...ABSENT, ...state }
    },

    async save(state) {
      await dynamo.putItem({ Item: { ...KEY, ...toAttributes({ round: formatCronState(state) }) } })
    },
  }
}
