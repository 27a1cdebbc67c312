import { Problem } from '../problem.ts'
import { attributes } from './attribute-values.ts'
import type { DynamoDb } from './dynamodb.ts'
import { DynamoDbError } from './dynamodb-errors.ts'

/** No item has this key: the read is as cheap as a read can be. */
const PROBE_KEY = attributes({ pk: 'probe' })

function findFault(error: unknown): string {
  if (error instanceof Problem) return error.message
  const name = error instanceof DynamoDbError ? error.error : undefined
  // The key is the only part of this read that DynamoDB can call invalid.
  if (name === 'ValidationException') {
    return 'DYNAMODB_TABLE refuses a read by its key: it must have the partition key pk (S) and no sort key.'
  }
  return `DYNAMODB_TABLE could not be read${name === undefined ? '' : `: DynamoDB answered ${name}`}.`
}

/**
 * Reads the table once and returns what is wrong with the table, its key or the local clock. `undefined` if nothing is.
 * Whether TTL is on is not checked: `npm run doctor` does that.
 */
export function createTableProbe(dynamo: DynamoDb, requireLeaseClock: () => void) {
  return async (): Promise<string | undefined> => {
    try {
      await dynamo.getItem({ Key: PROBE_KEY })
      requireLeaseClock()
      return undefined
    } catch (error) {
      return findFault(error)
    }
  }
}
