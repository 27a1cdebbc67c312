import {
  type AttributeValue,
  BatchWriteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { createTable } from '../dev/table.ts'
import { storageVars, TABLE } from './environment.ts'

export type Item = Record<string, AttributeValue>

/** BatchWriteItem takes no more. */
const BATCH = 25

/** The bench's own way into the table, and the table made. */
export const openTable = async (endpoint: string) => {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = storageVars('')
  const client = new DynamoDBClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
  await createTable(client, TABLE)

  const put = (item: Item) => client.send(new PutItemCommand({ TableName: TABLE, Item: item }))
  const putAll = async (items: Item[]) => {
    for (let start = 0; start < items.length; start += BATCH) {
      const writes = items.slice(start, start + BATCH).map((Item) => ({ PutRequest: { Item } }))
      await client.send(new BatchWriteItemCommand({ RequestItems: { [TABLE]: writes } }))
    }
  }
  const item = async (companyKey: string): Promise<Item> => {
    const key = { pk: { S: `connection#${companyKey}` } }
    const { Item } = await client.send(new GetItemCommand({ TableName: TABLE, Key: key, ConsistentRead: true }))
    if (!Item) throw new Error(`There is no record of ${companyKey}.`)
    return Item
  }
  return { put, putAll, item, close: () => client.destroy() }
}

export type Table = Awaited<ReturnType<typeof openTable>>
