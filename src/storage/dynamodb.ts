import type {
  DeleteItemCommandInput,
  GetItemCommandInput,
  PutItemCommandInput,
  QueryCommandInput,
  UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import type { StorageSettings } from '../config/config.ts'
import { createDynamoDbHttp, type DynamoDbHttpRuntime, type SendOptions } from './dynamodb-http.ts'

/** Attributes as DynamoDB sends them. `attribute-values.ts` reads them. */
export type Item = Record<string, unknown>

/**
 * The condition of a write was not met. `item` is the item that did not meet it, if the engine returns it (`ALL_OLD`).
 */
export interface Refused {
  refused: true
  item: Item | undefined
}
/** A write that was applied. `attributes` are those that `ReturnValues` asks for. */
export interface Applied {
  refused: false
  attributes: Item
}

/** A page of a query. `count` is the number of items, also with `Select: COUNT`, which returns none. */
export interface QueryPage {
  items: Item[]
  count: number
  lastKey: Item | undefined
}

type Input<CommandInput> = Omit<CommandInput, 'TableName'>

/** One table. Throws as `createDynamoDbHttp` does. */
export interface DynamoDb {
  getItem(input: Input<GetItemCommandInput>, options?: SendOptions): Promise<Item | undefined>
  putItem(input: Input<PutItemCommandInput>): Promise<Applied | Refused>
  updateItem(input: Input<UpdateItemCommandInput>, options?: SendOptions): Promise<Applied | Refused>
  deleteItem(input: Input<DeleteItemCommandInput>): Promise<Applied | Refused>
  query(input: Input<QueryCommandInput>): Promise<QueryPage>
}

function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
function toItem(value: unknown): Item | undefined {
  return isItem(value) ? value : undefined
}

/** The five operations that this service needs (Amazon DynamoDB API reference, version 2012-08-10). */
export function createDynamoDb(settings: () => StorageSettings, runtime: DynamoDbHttpRuntime): DynamoDb {
  const send = createDynamoDbHttp(settings, runtime)

  const read = async (operation: string, input: object, options?: SendOptions) => {
    const result = await send(operation, { TableName: settings().table, ...input }, options)
    return result.body
  }

  const write = async (operation: string, input: object, options?: SendOptions): Promise<Applied | Refused> => {
    const request = {
      TableName: settings().table,
      ...('ConditionExpression' in input ? { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } : {}),
      ...input,
    }
    const result = await send(operation, request, options)
    if (result.outcome === 'refused') return { refused: true, item: toItem(result.body['Item']) }
    return { refused: false, attributes: toItem(result.body['Attributes']) ?? {} }
  }

  return {
    getItem: async (input, options) => toItem((await read('GetItem', input, options))['Item']),
    putItem: (input) => write('PutItem', input),
    updateItem: (input, options) => write('UpdateItem', input, options),
    deleteItem: (input) => write('DeleteItem', input),
    query: async (input) => {
      const body = await read('Query', input)
      const items = Array.isArray(body['Items']) ? body['Items'].filter(isItem) : []
      const count = typeof body['Count'] === 'number' ? body['Count'] : items.length
      return { items, count, lastKey: toItem(body['LastEvaluatedKey']) }
    },
  }
}
