import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDynamoDb } from '../../dev/dynamodb.ts'
import { createTableSource } from '../../dev/import/from-table.ts'
import { createTable } from '../../dev/table.ts'
import { canAccess } from '../../src/broker/api-client.ts'
import { STATUSES } from '../../src/broker/connection-status.ts'
import { createList, type Listed, type ListPlaces } from '../../src/fleet/list.ts'
import type { FleetIndex } from '../../src/fleet/ports.ts'
import { createAlertOutbox } from '../../src/storage/alert-outbox.ts'
import { readEpochSeconds } from '../../src/storage/attribute-values.ts'
import { createDynamoDb, type DynamoDb } from '../../src/storage/dynamodb.ts'
import { createFleetIndex } from '../../src/storage/fleet-index.ts'
import { NEVER_EXPIRES, toFleetAttributes, toFleetShard, UNFINISHED } from '../../src/storage/fleet-keys.ts'
import { adminClient, realRuntime, testStorage } from '../support/engine.ts'
import { type EngineProxy, startEngineProxy } from '../support/engine-proxy.ts'

const NOW = 1_790_000_000
const DAY = 86_400

let engine: Awaited<ReturnType<typeof startDynamoDb>>
let proxy: EngineProxy
let dynamo: DynamoDb
let put: (item: NonNullable<ConstructorParameters<typeof PutItemCommand>[0]['Item']>) => Promise<unknown>

beforeAll(async () => {
  engine = await startDynamoDb()
  proxy = await startEngineProxy(engine.url)
  const client = adminClient(engine.url)
  const { table } = testStorage(engine.url)
  await createTable(client, table)
  put = (item) => client.send(new PutItemCommand({ TableName: table, Item: item }))
  dynamo = createDynamoDb(() => testStorage(proxy.url), realRuntime)
})
afterAll(async () => {
  await proxy.close()
  await engine.close()
})

/** Every page after the other. */
const wholeList = async (index: FleetIndex, request: Partial<Parameters<ReturnType<typeof createList>>[0]>) => {
  const listed: Listed[] = []
  let places: ListPlaces | undefined
  do {
    const everybody = { limit: 50, status: undefined, environment: undefined, apiClient: undefined }
    const page = await createList(index)({ ...everybody, ...request, places }, NOW)
    listed.push(...page.connections)
    places = page.places
  } while (places)
  return listed
}
const toKeys = (listed: Listed[]) => listed.map(({ indexed }) => indexed.connection.companyKey)
const whole = async (...given: Parameters<typeof wholeList>) => toKeys(await wholeList(...given))

const parseKey = (name: string, diesAt: number) => ({
  ...{ pk: { S: `connection#${name}` }, fleet_shard: { S: toFleetShard(name) }, dies_at: { N: String(diesAt) } },
})

describe('the filter expression', () => {
  const absent = undefined
  const attribute = {
    realm_id: [absent, { S: '1' }, { S: '' }, { NULL: true }, { N: '12' }],
    generation: [absent, { N: '0' }, { N: '1' }, { N: '7' }, { NULL: true }, { S: '1' }],
    failure_code: [absent, absent, { S: 'unavailable' }, { S: 'invalid_grant' }, { NULL: true }, { S: 'nonsense' }],
    failed_at: [absent, { N: String(NOW - 60) }],
    access_token_expires_at: [absent, { N: String(NOW) }, { N: String(NOW * 1000) }, { N: '1e120' }, { NULL: true }],
    refresh_token_expires_at: [
      absent,
      ...[NOW - 1, NOW, NOW + 90 * DAY, (NOW - 1) * 1000].map((at) => ({ N: String(at) })),
    ],
    refresh_token_hard_expires_at: [
      absent,
      ...[NOW - 1, NOW + DAY, (NOW - 1) * 1000, (NOW + DAY) * 1000].map((at) => ({ N: String(at) })),
      { NULL: true },
    ],
    uses_sandbox_credentials: [absent, { BOOL: true }, { BOOL: false }, { NULL: true }, { S: 'true' }],
  }
  const record = fc.record({
    name: fc.constantFrom('acme', 'beach-sandbox', 'corner'),
    holds: fc.boolean(),
    hasKey: fc.boolean(),
    ...Object.fromEntries(Object.entries(attribute).map(([name, values]) => [name, fc.constantFrom(...values)])),
  })

  it('excludes no connection that the broker lists, however the record was written', async () => {
    const index = createFleetIndex(dynamo, () => 'fleet')
    const records = fc.sample(record, { numRuns: 200, seed: 13 })
    for (const [position, { name, holds, hasKey, ...values }] of records.entries()) {
      const companyKey = `${name}-${position}`
      // A refresh token is erased with its times.
      const isWritten = (attributeName: string) => holds || !attributeName.startsWith('refresh_token')
      const given = Object.fromEntries(
        Object.entries(values).filter(([attributeName, value]) => value !== undefined && isWritten(attributeName)),
      )
      const { dies_at: diesAt } = toFleetAttributes({
        ...{ companyKey, holdsRefreshToken: holds },
        refreshTokenExpiresAt: readEpochSeconds(given, 'refresh_token_expires_at'),
        refreshTokenHardExpiresAt: readEpochSeconds(given, 'refresh_token_hard_expires_at'),
      })
      await put({ ...parseKey(companyKey, diesAt), ...(hasKey ? { company_key: { S: companyKey } } : {}), ...given })
    }
    const callers = [undefined, ['acme-*'], ['corner-7', 'beach-*', 'nobody']].map(
      (companies) => companies && { name: 'books', may: [], companies },
    )
    const all = await wholeList(index, {})
    expect(all).toHaveLength(200)
    for (const apiClient of callers) {
      for (const status of [undefined, ...STATUSES]) {
        for (const environment of [undefined, 'sandbox', 'production'] as const) {
          const request = { apiClient, status, environment }
          // Those that expire at the same time come in any order.
          const found = await whole(index, request)
          const wanted = toKeys(
            all.filter(({ indexed: { connection }, status: found }) => {
              const isWanted = status === undefined || found === status
              const isThere = environment === undefined || connection.environment === environment
              return isWanted && isThere && (apiClient === undefined || canAccess(apiClient, connection.companyKey))
            }),
          )
          expect(new Set(found), JSON.stringify(request)).toEqual(new Set(wanted))
          expect(found).toHaveLength(wanted.length)
        }
      }
    }
  }, 120_000)

  it('is read as little as it can be: one page of few of many parses few', async () => {
    const index = createFleetIndex(dynamo, () => 'fleet')
    let parsed = 0
    const counting: FleetIndex = {
      ...index,
      page: async (...given) => {
        const page = await index.page(...given)
        parsed += page.connections.length
        return page
      },
    }
    for (const status of STATUSES) {
      parsed = 0
      const all = { limit: 100, places: undefined, environment: undefined, apiClient: undefined }
      await createList(counting)({ ...all, status }, NOW)
      expect(parsed, status).toBeLessThanOrEqual(600)
    }
  })
})

describe('an empty page with a last key', () => {
  /** DynamoDB answers the first query of each shard so: it looked at records, and none passed. */
  const emptyFirstPages = () =>
    proxy.fault({
      ...{ operation: 'Query', kind: 'answer', status: 200 },
      when: ({ body }) => !JSON.stringify(body).includes('ExclusiveStartKey'),
      body: JSON.stringify({
        Items: [],
        Count: 0,
        LastEvaluatedKey: { pk: { S: 'connection#-' }, dies_at: { N: '0.5' }, fleet_shard: { S: '00' } },
      }),
    })

  it('ends no list', async () => {
    const index = createFleetIndex(dynamo, () => 'fleet')
    // What stands before that key was looked at.
    const after = (await wholeList(index, {})).filter(({ indexed }) => indexed.place.diesAt > 0.5)
    const { lift } = emptyFirstPages()
    expect(new Set(await whole(index, {}))).toEqual(new Set(toKeys(after)))
    lift()
    expect(after.length).toBeGreaterThan(100)
  })

  it('is gone on from by its own key, to the digit', async () => {
    const index = createFleetIndex(dynamo, () => 'fleet')
    const { lift } = emptyFirstPages()
    const page = await index.page('00', { from: 0, to: NEVER_EXPIRES }, undefined, 10)
    lift()
    expect(page).toEqual({ connections: [], next: { diesAt: 0.5, companyKey: '-' } })
    proxy.requests.length = 0
    await index.page('00', { from: 0, to: NEVER_EXPIRES }, page.next, 10)
    expect(proxy.requests[0]?.body).toMatchObject({
      ExclusiveStartKey: { pk: { S: 'connection#-' }, dies_at: { N: '0.5' }, fleet_shard: { S: '00' } },
    })
  })

  it('ends no import', async () => {
    const { lift } = proxy.fault({
      ...{ operation: 'Scan', kind: 'answer', status: 200, times: 1 },
      body: JSON.stringify({ Items: [], Count: 0, LastEvaluatedKey: { pk: { S: 'connection#acme-0' } } }),
    })
    const source = createTableSource(adminClient(proxy.url), testStorage(proxy.url).table, 'us-east-1')
    proxy.requests.length = 0
    let pages = 0
    for await (const _ of source.pages(undefined)) pages++
    lift()
    expect(pages).toBeGreaterThan(1)
    expect(proxy.requests[1]?.body).toMatchObject({ ExclusiveStartKey: { pk: { S: 'connection#acme-0' } } })
  })

  it('hides no waiting alert', async () => {
    const waiting = createAlertOutbox(dynamo, () => 'fleet')
    const alert = { id: 'msg_1', type: 'connection.failing', at: NOW, data: {} }
    await waiting.put(alert, NOW, NOW)
    const { lift } = proxy.fault({
      ...{ operation: 'Query', kind: 'answer', status: 200, times: 1 },
      body: JSON.stringify({
        Items: [],
        Count: 0,
        LastEvaluatedKey: { pk: { S: 'outbox#a' }, dies_at: { N: '1' }, fleet_shard: { S: 'outbox' } },
      }),
    })
    expect((await waiting.findDue(NOW, 5)).map((one) => one.alert)).toEqual([alert])
    lift()
  })
})

describe('the count of unfinished records', () => {
  it('reads none of them, has no other record and none that expired, and goes on where a page ended', async () => {
    const index = createFleetIndex(dynamo, () => 'fleet')
    const keys = Array.from({ length: 200 }, (_, row) => `begun-${row}`).filter((key) => toFleetShard(key) === '00')
    for (const [row, key] of keys.entries()) {
      const expiresAt = row === 0 ? NOW : NOW + 1
      await put({ ...parseKey(key, UNFINISHED), expires_at: { N: String(expiresAt) } })
    }
    proxy.requests.length = 0
    expect(await index.countUnfinished('00', undefined, NOW)).toEqual({ count: keys.length - 1, next: undefined })
    expect(proxy.requests[0]?.body).toMatchObject({ Select: 'COUNT' })
    const half = keys[3] ?? ''
    const { count } = await index.countUnfinished('00', { diesAt: UNFINISHED, companyKey: half }, NOW)
    expect(count).toBeLessThan(keys.length - 1)
    expect(keys.length).toBeGreaterThan(6)
  })
})

describe('the last notified status of a record', () => {
  it.each([
    ['absent', undefined],
    ['NULL', { NULL: true } as const],
    ['empty', { S: '' }],
    ['a number', { N: '1' }],
  ])('is stored where the attribute is %s', async (form, alerted) => {
    const index = createFleetIndex(dynamo, () => 'fleet')
    const key = `noted-${form.replaceAll(' ', '-')}`
    await put({ ...parseKey(key, NOW), ...(alerted ? { alerted } : {}) })
    await index.setLastNotified(key, undefined, 'failing')
    const readLastNotified = async () =>
      (await dynamo.getItem({ Key: { pk: { S: `connection#${key}` } } }))?.['alerted']
    expect(await readLastNotified()).toEqual({ S: 'failing' })
    // Another run was faster.
    await index.setLastNotified(key, undefined, 'connected')
    await index.setLastNotified(key, 'disconnected', 'connected')
    expect(await readLastNotified()).toEqual({ S: 'failing' })
    await index.setLastNotified(key, 'failing', 'connected')
    expect(await readLastNotified()).toEqual({ S: 'connected' })
  })
})
