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
import { createFleetIndex, fleetIndexOf, hasOurKey, TTL_ATTRIBUTE, tableDefinition } from './table-definition.ts'

const MAX_WAIT_SECONDS = 120

export interface TableResult {
  created: boolean
  /** `unsupported`: an embedded engine that has no TTL; the Worker judges expiry itself on every read. */
  ttl: 'set' | 'already set' | 'unsupported'
  /** `being built`: DynamoDB fills it in the background. `unsupported`: an embedded engine that adds none to a table that is there. */
  index: 'ready' | 'being built' | 'unsupported'
}

/** The table has an index by our name that is not ours, or one of an earlier version. */
export class IndexMismatchError extends Error {
  override name = 'IndexMismatchError'
}

const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name

const create = async (client: DynamoDBClient, table: string): Promise<boolean> => {
  try {
    await client.send(new CreateTableCommand(tableDefinition(table)))
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

/** The embedded engine asks for a capacity that DynamoDB refuses beside on-demand billing, and would add no index anyway. */
const addsNoIndex = (error: unknown) =>
  error instanceof Error && error.message.includes("create.provisionedThroughput' failed to satisfy constraint")

/** Adds the index to a table of before. It is not waited for: DynamoDB takes minutes even for an empty table. */
const addIndex = async (client: DynamoDBClient, table: string): Promise<TableResult['index']> => {
  const { AttributeDefinitions } = tableDefinition(table)
  const GlobalSecondaryIndexUpdates = [{ Create: createFleetIndex }]
  try {
    await client.send(new UpdateTableCommand({ TableName: table, AttributeDefinitions, GlobalSecondaryIndexUpdates }))
    return 'being built'
  } catch (error) {
    if (addsNoIndex(error)) return 'unsupported'
    throw error
  }
}

const ensureIndex = async (
  client: DynamoDBClient,
  table: string,
  description: TableDescription,
): Promise<TableResult['index']> => {
  const found = fleetIndexOf(description)
  if (found === 'absent') return addIndex(client, table)
  if (found !== 'another') return found
  throw new IndexMismatchError(
    `The table ${table} has another index by the name ${createFleetIndex.IndexName}. Delete that index, then run this again.`,
  )
}

/** Makes the table of the contract, or completes the one that is there. Idempotent. Throws where an existing table has another key, TTL attribute or index. */
export const createTable = async (client: DynamoDBClient, table: string): Promise<TableResult> => {
  const created = await create(client, table)
  await waitUntilTableExists({ client, maxWaitTime: MAX_WAIT_SECONDS, minDelay: 1, maxDelay: 5 }, { TableName: table })
  const description = await describe(client, table)
  if (!hasOurKey(description)) {
    throw new Error(
      `The table ${table} exists with another key. It must have the partition key pk (S) and no sort key.`,
    )
  }
  // TTL first: a table to which an index is being added takes no other change.
  const ttl = await setTtl(client, table)
  return { created, ttl, index: await ensureIndex(client, table, description) }
}
