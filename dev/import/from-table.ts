import {
  type DynamoDBClient,
  ScanCommand,
  type ScanCommandInput,
  type ScanCommandOutput,
} from '@aws-sdk/client-dynamodb'
import * as v from 'valibot'
import { toPlainRecord } from './plain.ts'
import { PAGE_SIZE, type Source } from './source.ts'

/** A key in DynamoDB's notation. Binary keys are not supported. */
const KEY = v.record(v.string(), v.union([v.strictObject({ S: v.string() }), v.strictObject({ N: v.string() })]))

/** Reads the records of a table with a paginated scan. */
export const createTableSource = (client: DynamoDBClient, table: string, region: string): Source => ({
  name: `the table ${table} of ${region}`,
  async *pages(from) {
    let start: ScanCommandInput['ExclusiveStartKey'] = from === undefined ? undefined : v.parse(KEY, from)
    let read = 0
    do {
      const input = {
        TableName: table,
        Limit: PAGE_SIZE,
        ConsistentRead: true,
        ...(start ? { ExclusiveStartKey: start } : {}),
      }
      const { Items = [], LastEvaluatedKey }: ScanCommandOutput = await client.send(new ScanCommand(input))
      yield {
        found: Items.map((item) => ({ place: `item ${++read}`, values: toPlainRecord(item) })),
        next: LastEvaluatedKey,
      }
      start = LastEvaluatedKey
    } while (start)
  },
})
