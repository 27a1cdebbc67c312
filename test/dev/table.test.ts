import {
  CreateTableCommand,
  type CreateTableCommandInput,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, startDynamoDb } from '../../dev/dynamodb.ts'
import { createTable } from '../../dev/table.ts'
import { createTableDefinition, FLEET_INDEX_DEFINITION } from '../../dev/table-definition.ts'
import { toAttributes } from '../../src/storage/attribute-values.ts'
import { toFleetAttributes } from '../../src/storage/fleet-keys.ts'
import { adminClient } from '../support/engine.ts'
import { type EngineProxy, startEngineProxy } from '../support/engine-proxy.ts'

let engine: Engine
let proxy: EngineProxy
beforeAll(async () => {
  engine = await startDynamoDb()
  proxy = await startEngineProxy(engine.url)
})
afterAll(async () => {
  await proxy.close()
  await engine.close()
})

const make = (table: string, change: Partial<CreateTableCommandInput>) =>
  adminClient(engine.url).send(new CreateTableCommand({ ...createTableDefinition(table), ...change }))
const withoutIndex: Partial<CreateTableCommandInput> = {
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  GlobalSecondaryIndexes: undefined,
}
const describes = (table: string, IndexStatus: 'CREATING' | 'ACTIVE') =>
  proxy.fault({
    kind: 'answer',
    operation: 'DescribeTable',
    status: 200,
    times: 1,
    body: JSON.stringify({
      Table: {
        ...createTableDefinition(table),
        TableStatus: 'ACTIVE',
        GlobalSecondaryIndexes: [{ ...FLEET_INDEX_DEFINITION, IndexStatus }],
      },
    }),
  })

describe('the fleet index', () => {
  it('is created with a new table, and found the next time', async () => {
    const client = adminClient(engine.url)
    expect(await createTable(client, 'new-table')).toMatchObject({ created: true, index: 'ready' })
    expect(await createTable(client, 'new-table')).toMatchObject({ created: false, index: 'ready' })
  })

  it('is added once to an existing table, with the types of its attributes', async () => {
    await make('existing', withoutIndex)
    const client = adminClient(proxy.url)
    proxy.fault({ kind: 'answer', operation: 'UpdateTable', status: 200, body: '{}' })
    expect(await createTable(client, 'existing')).toMatchObject({ created: false, index: 'building' })
    const updates = proxy.requests.filter(({ operation }) => operation === 'UpdateTable')
    expect(updates.map(({ body }) => body)).toEqual([
      {
        TableName: 'existing',
        AttributeDefinitions: createTableDefinition('existing').AttributeDefinitions,
        GlobalSecondaryIndexUpdates: [{ Create: FLEET_INDEX_DEFINITION }],
      },
    ])
    // Once to wait for the table, once to describe it.
    for (const status of ['CREATING', 'ACTIVE'] as const) {
      describes('existing', status)
      describes('existing', status)
      const index = status === 'ACTIVE' ? 'ready' : 'building'
      expect(await createTable(client, 'existing')).toMatchObject({ created: false, index })
    }
    expect(proxy.requests.filter(({ operation }) => operation === 'UpdateTable')).toHaveLength(1)
    proxy.heal()
  })

  it('is reported as unsupported if the engine cannot add it to an existing table', async () => {
    await make('embedded', withoutIndex)
    expect(await createTable(adminClient(engine.url), 'embedded')).toMatchObject({ index: 'unsupported' })
  })

  it('is not confused with another index of the same name', async () => {
    await make('others', {
      GlobalSecondaryIndexes: [{ ...FLEET_INDEX_DEFINITION, Projection: { ProjectionType: 'KEYS_ONLY' } }],
    })
    await expect(createTable(adminClient(engine.url), 'others')).rejects.toThrow('another index by the name fleet')
  })

  it('lists the connections of a shard, soonest to expire first, without secrets and other items', async () => {
    const client = adminClient(engine.url)
    await createTable(client, 'listed')
    const put = (values: Parameters<typeof toAttributes>[0]) =>
      client.send(new PutItemCommand({ TableName: 'listed', Item: toAttributes(values) }))
    const record = (companyKey: string, refreshTokenExpiresAt: number) => ({
      pk: `connection#${companyKey}`,
      company_key: companyKey,
      refresh_token: 'a-marked-secret',
      ...toFleetAttributes({
        companyKey,
        holdsRefreshToken: true,
        refreshTokenExpiresAt,
        refreshTokenHardExpiresAt: undefined,
      }),
      fleet_shard: '07',
    })
    await put(record('later', 1_900_000_000))
    await put(record('sooner', 1_800_000_000))
    await put({ pk: 'state#abc', company_key: 'sooner', expires_at: 1_800_000_000 })
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: 'listed',
        IndexName: 'fleet',
        KeyConditionExpression: 'fleet_shard = :shard',
        ExpressionAttributeValues: { ':shard': { S: '07' } },
      }),
    )
    expect(Items.map((item) => item['company_key']?.S)).toEqual(['sooner', 'later'])
    expect(JSON.stringify(Items)).not.toContain('a-marked-secret')
  })
})
