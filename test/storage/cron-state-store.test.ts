import { describe, expect, it } from 'vitest'
import type { CronState } from '../../src/fleet/ports.ts'
import { readText } from '../../src/storage/attribute-values.ts'
import { createCronStateStore } from '../../src/storage/cron-state-store.ts'
import type { DynamoDb, Item } from '../../src/storage/dynamodb.ts'

const counts = { connected: 2, expiring: 0, failing: 1, reconnect_required: 0, unfinished: 0, disconnected: 0 }
const state: CronState = {
  completedScans: 7,
  shard: 3,
  after: { diesAt: 1_790_000_000, companyKey: 'beach-blend' },
  counts,
  summary: { counts, countedAt: 1_789_000_000 },
  rest: [
    { shard: '01', after: undefined },
    { shard: '02', after: { diesAt: 10_000_000_000, companyKey: 'begun' } },
  ],
  unfinished: { left: [{ shard: '07', after: undefined }], count: 4_000, total: 90_000 },
  alertsSince: 1_780_000_000,
  windows: { refresh_failing: { since: 1_789_000_000, count: 2, scan: 6 } },
  pendingAlerts: [{ id: 'a', type: 'fleet.many', at: 1_789_000_000, data: { count: 20 } }],
  pendingNotifications: [{ companyKey: 'sea', before: undefined, after: 'failing' }],
}

const unused = async () => {
  throw new Error('not used')
}
/** A table that holds one item. */
const tableWith = (item?: Item): DynamoDb & { item(): Item | undefined } => {
  let kept = item
  return {
    getItem: async () => kept,
    putItem: async ({ Item }) => {
      kept = Item
      return { refused: false, attributes: {} }
    },
    ...{ updateItem: unused, deleteItem: unused, query: unused },
    item: () => kept,
  }
}

describe('the cron state', () => {
  it('is loaded as it was saved', async () => {
    const store = createCronStateStore(tableWith())
    expect(await store.load()).toBeUndefined()
    await store.save(state)
    expect(await store.load()).toEqual(state)
  })

  it('of an earlier version, which counted no unfinished records apart, is loaded', async () => {
    const table = tableWith()
    await createCronStateStore(table).save(state)
    const { rest: _, unfinished: __, ...earlier } = JSON.parse(readText(table.item() ?? {}, 'round') ?? '')
    const item = { pk: { S: 'cron#fleet' }, round: { S: JSON.stringify(earlier) } }
    const unfinished = { left: [], count: 0, total: 0 }
    expect(await createCronStateStore(tableWith(item)).load()).toEqual({ ...state, rest: [], unfinished })
  })

  it('of an earlier version is loaded without removed members', async () => {
    const table = tableWith()
    await createCronStateStore(table).save(state)
    const json = readText(table.item() ?? {}, 'round') ?? ''
    const earlier = {
      pk: { S: 'cron#fleet' },
      round: { S: JSON.stringify({ ...JSON.parse(json), plantedOn: 20_000 }) },
    }
    expect(await createCronStateStore(tableWith(earlier)).load()).toEqual(state)
  })
})
