import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  ScanCommand,
  type ScanCommandInput,
  type ScanCommandOutput,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { type Item, isUnchanged, TOKEN_ATTRIBUTES } from './condition.ts'
import type { Pace } from './pace.ts'

const PK_PREFIX = 'connection#'
const PAGE_SIZE = 200
const READ = ['pk', 'generation', 'refresh_token_hash', 'lease_owner', 'lease_until', ...TOKEN_ATTRIBUTES]

interface ConnectionsDeps {
  client: DynamoDBClient
  table: string
  pace: Pace
  /** Epoch ms. */
  now(): number
}

/** The company key of a connection record. */
export const parseCompanyKey = (item: Item): string => (item['pk']?.S ?? '').slice(PK_PREFIX.length)

const toKey = (item: Item) => ({ pk: item['pk'] ?? { S: '' } })

/** Scans the connections of a table. Reads the next page while the last one is processed. An empty page need not be the last. */
async function* scanConnections({ client, table, pace }: ConnectionsDeps): AsyncGenerator<Item, void> {
  const read = (start: ScanCommandInput['ExclusiveStartKey']): Promise<ScanCommandOutput> => {
    const page = pace.run(() =>
      client.send(
        new ScanCommand({
          ...{ TableName: table, ConsistentRead: true, Limit: PAGE_SIZE },
          FilterExpression: 'begins_with(pk, :prefix)',
          ExpressionAttributeValues: { ':prefix': { S: PK_PREFIX } },
          ProjectionExpression: READ.join(', '),
          ...(start ? { ExclusiveStartKey: start } : {}),
        }),
      ),
    )
    // The page may fail before anything awaits it.
    page.catch(() => undefined)
    return page
  }
  for (let page: Promise<ScanCommandOutput> | undefined = read(undefined); page; ) {
    const { Items: items = [], LastEvaluatedKey: lastKey }: ScanCommandOutput = await page
    page = lastKey && read(lastKey)
    yield* items
  }
}

/** Writes attributes if the record is unchanged since it was read. `false`: it has changed. */
const writeIfUnchanged = async (deps: ConnectionsDeps, item: Item, values: Item): Promise<boolean> => {
  const { client, table, pace, now } = deps
  const unchanged = isUnchanged(item, now())
  const names = Object.keys(values)
  const update = new UpdateItemCommand({
    TableName: table,
    Key: toKey(item),
    UpdateExpression: `SET ${names.map((name) => `${name} = :${name}`).join(', ')}`,
    ConditionExpression: unchanged.expression,
    ExpressionAttributeValues: {
      ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
      ...unchanged.values,
    },
  })
  try {
    await pace.run(() => client.send(update))
    return true
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false
    throw error
  }
}

/** Scans, reads and writes connection records, at the pace that the table accepts. */
export const createConnections = (deps: ConnectionsDeps) => ({
  scan: () => scanConnections(deps),
  write: (item: Item, values: Item) => writeIfUnchanged(deps, item, values),
  read: async (item: Item): Promise<Item | undefined> => {
    const get = new GetItemCommand({ TableName: deps.table, Key: toKey(item), ConsistentRead: true })
    return (await deps.pace.run(() => deps.client.send(get))).Item
  },
})

export type Connections = ReturnType<typeof createConnections>
