import { Problem } from '../problem.ts'
import { toAttributes } from './attribute-values.ts'
import type { DynamoDb } from './dynamodb.ts'
import { DynamoDbError } from './dynamodb-errors.ts'

/** No item has this key, so the read has minimal cost. */
const PROBE_KEY = toAttributes({ pk: 'probe' })

function findFault(error: unknown): string {
  if (error instanceof Problem) return error.message
  const name = error instanceof DynamoDbError ? error.error : undefined
  // The key is the only part of this read that can be invalid.
  if (name === 'ValidationException') {
    return 'DYNAMODB_TABLE refuses a read by its key: it must have the partition key pk (S) and no sort key.'
  }
  return `DYNAMODB_TABLE could not be read${name === undefined ? '' : `: DynamoDB answered ${name}`}.`
}

/**
 * Creates a check that reads the table once and returns an error of the table, its key or the local clock. `undefined`: none.
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
