import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type TableDescription,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'

/** DynamoDB deletes a record some time after this attribute's epoch seconds. */
const TTL_ATTRIBUTE = 'expires_at'
const MAX_WAIT_SECONDS = 120

const definition = (table: string): CreateTableCommandInput => ({
  TableName: table,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
})

export interface TableResult {
  created: boolean
  /** `unsupported`: an embedded engine that has no TTL; the Worker judges expiry itself on every read. */
  ttl: 'set' | 'already set' | 'unsupported'
}

const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name

const create = async (client: DynamoDBClient, table: string): Promise<boolean> => {
  try {
    await client.send(new CreateTableCommand(definition(table)))
    return true
  } catch (error) {
    if (isNamed(error, 'ResourceInUseException')) return false
    throw error
  }
}

const hasOurKey = (table: TableDescription | undefined) => {
  const [key, ...more] = table?.KeySchema ?? []
  const type = table?.AttributeDefinitions?.find(({ AttributeName }) => AttributeName === 'pk')?.AttributeType
  return more.length === 0 && key?.AttributeName === 'pk' && key.KeyType === 'HASH' && type === 'S'
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

/** Makes the table of the contract, or checks the one that is there. Idempotent. Throws where an existing table has another key. */
export const createTable = async (client: DynamoDBClient, table: string): Promise<TableResult> => {
  const created = await create(client, table)
  await waitUntilTableExists({ client, maxWaitTime: MAX_WAIT_SECONDS, minDelay: 1, maxDelay: 5 }, { TableName: table })
  const { Table: description } = await client.send(new DescribeTableCommand({ TableName: table }))
  if (!hasOurKey(description)) {
    throw new Error(
      `The table ${table} exists with another key. It must have the partition key pk (S) and no sort key.`,
    )
  }
  return { created, ttl: await setTtl(client, table) }
}
