import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type TableDescription,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import {
  createTableDefinition,
  FLEET_INDEX_DEFINITION,
  findFleetIndex,
  hasOurKey,
  TTL_ATTRIBUTE,
} from './table-definition.ts'

const MAX_WAIT_SECONDS = 120

/** What `createTable` found or did. */
export interface TableResult {
  created: boolean
  /** `unsupported`: an embedded engine without TTL. The Worker checks expiry on every read. */
  ttl: 'set' | 'already set' | 'unsupported'
  /** `building`: DynamoDB fills it in the background. `unsupported`: the embedded engine cannot add an index to a table. */
  index: 'ready' | 'building' | 'unsupported'
}

/** The table has an index with our name but another definition, for example of an earlier version. */
export class IndexMismatchError extends Error {
  override name = 'IndexMismatchError'
}

const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name

const create = async (client: DynamoDBClient, table: string): Promise<boolean> => {
  try {
    await client.send(new CreateTableCommand(createTableDefinition(table)))
    return true
  } catch (error) {
    if (isNamed(error, 'ResourceInUseException')) return false
    throw error
  }
}

const describe = async (client: DynamoDBClient, table: string): Promise<TableDescription> => {
  const { Table: description } = await client.send(new DescribeTableCommand({ TableName: table }))
  return description ?? {}
}

const setTtl = async (client: DynamoDBClient, table: string): Promise<TableResult['ttl']> => {
  try {
    const { TimeToLiveDescription: ttl } = await client.send(new DescribeTimeToLiveCommand({ TableName: table }))
    if (ttl?.TimeToLiveStatus === 'ENABLED' || ttl?.TimeToLiveStatus === 'ENABLING') {
      if (ttl.AttributeName === TTL_ATTRIBUTE) return 'already set'
      throw new Error(`The table ${table} expires records by ${ttl.AttributeName}; it must be ${TTL_ATTRIBUTE}.`)
    }
    const specification = { AttributeName: TTL_ATTRIBUTE, Enabled: true }
    await client.send(new UpdateTimeToLiveCommand({ TableName: table, TimeToLiveSpecification: specification }))
    return 'set'
  } catch (error) {
    if (isNamed(error, 'UnknownOperationException')) return 'unsupported'
    throw error
  }
}

/** The embedded engine requires a capacity, which DynamoDB rejects with on-demand billing. It cannot add an index either way. */
const cannotAddIndex = (error: unknown) =>
  error instanceof Error && error.message.includes("create.provisionedThroughput' failed to satisfy constraint")

/** Adds the index to an existing table. Does not wait for it: DynamoDB takes minutes even for an empty table. */
const addIndex = async (client: DynamoDBClient, table: string): Promise<TableResult['index']> => {
  const { AttributeDefinitions } = createTableDefinition(table)
  const GlobalSecondaryIndexUpdates = [{ Create: FLEET_INDEX_DEFINITION }]
  try {
    await client.send(new UpdateTableCommand({ TableName: table, AttributeDefinitions, GlobalSecondaryIndexUpdates }))
    return 'building'
  } catch (error) {
    if (cannotAddIndex(error)) return 'unsupported'
    throw error
  }
}

const ensureIndex = async (
  client: DynamoDBClient,
  table: string,
  description: TableDescription,
): Promise<TableResult['index']> => {
  const found = findFleetIndex(description)
  if (found === 'absent') return addIndex(client, table)
  if (found !== 'mismatch') return found
  throw new IndexMismatchError(
    `The table ${table} has another index by the name ${FLEET_INDEX_DEFINITION.IndexName}. Delete that index, then run this again.`,
  )
}

/**
 * Creates the table, or completes an existing one. Idempotent. Throws if an existing table has another key, TTL attribute or
 * index.
 */
export const createTable = async (client: DynamoDBClient, table: string): Promise<TableResult> => {
  const created = await create(client, table)
  await waitUntilTableExists({ client, maxWaitTime: MAX_WAIT_SECONDS, minDelay: 1, maxDelay: 5 }, { TableName: table })
  const description = await describe(client, table)
  if (!hasOurKey(description)) {
    throw new Error(
      `The table ${table} exists with another key. It must have the partition key pk (S) and no sort key.`,
    )
  }
  // TTL first: while DynamoDB adds an index, it accepts no other change of the table.
  const ttl = await setTtl(client, table)
  return { created, ttl, index: await ensureIndex(client, table, description) }
}
