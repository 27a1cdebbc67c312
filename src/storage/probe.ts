import { Problem } from '../problem.ts'
import { integer } from './attribute-values.ts'
import { expiredKey } from './cron-state-store.ts'
import type { DynamoDb } from './dynamodb.ts'
import { DynamoDbError } from './dynamodb-errors.ts'

/** DynamoDB promises to delete within days, and mostly does so within two. */
const PATIENCE_SECONDS = 7 * 24 * 3600

/** A key of another form is the only thing in this read that DynamoDB can call invalid. */
function findFault(error: unknown): string {
  if (error instanceof Problem) return error.message
  const name = error instanceof DynamoDbError ? error.error : undefined
  if (name === 'ValidationException') {
    return 'DYNAMODB_TABLE refuses a read by its key: it must have the partition key pk (S) and no sort key.'
  }
  return `DYNAMODB_TABLE could not be read${name === undefined ? '' : `: DynamoDB answered ${name}`}.`
}

/**
 * What is wrong with the table, or with our clock beside the table's, as far as one read can tell; `undefined`: nothing. A table of another key refuses the
 * read. Of expiry it tells that it is off, a week after the cron planted an item that had expired; that it is on, never.
 */
export function createTableProbe(dynamo: DynamoDb, requireLeaseClock: () => void) {
  return async (now: number): Promise<string | undefined> => {
    try {
      const item = (await dynamo.getItem({ Key: expiredKey() })) ?? {}
      requireLeaseClock()
      const isLeft = now - (integer(item, 'expires_at') ?? now) > PATIENCE_SECONDS
      return isLeft
        ? 'DYNAMODB_TABLE does not expire records by expires_at: npm run table:create turns it on.'
        : undefined
    } catch (error) {
      return findFault(error)
    }
  }
}
