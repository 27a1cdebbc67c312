import type { Connection } from '../broker/connection.ts'
import type { LeaseEnd, Successor } from '../broker/ports/storage.ts'
import { addToHistory } from '../broker/refresh/history.ts'
import { readText, toAssignedValues, toAssignments, toAttribute } from './attribute-values.ts'
import { all, type Condition, equals, isSameInteger, not } from './conditions.ts'
import {
  type ConnectionTable,
  connectionKey,
  FAILURE_ATTRIBUTES,
  LEASE_ATTRIBUTES,
  parseConnection,
} from './connection-item.ts'
import { isOwnLease, isStillStored } from './connection-leases.ts'
import type { Applied, DynamoDb, Item, Refused } from './dynamodb.ts'
import { formatHistory } from './refresh-history.ts'
import { GENERATION_UPDATES, selectGenerationUpdate, toTokenPairAttributes } from './token-pair-attributes.ts'

function isNotWrittenBy(writer: string): Condition {
  return not(equals('written_by', toAttribute(writer), ':written_by'))
}

/** No other writer has refreshed this token: it would have raised the generation or would hold the lease. */
function isUntouched(used: Connection, writer: string): Condition {
  return all(isOwnLease(writer, used), isSameInteger('generation', used.generation))
}

/**
 * `item` rejected the write. If it has our own `written_by`, an earlier attempt succeeded and its response was lost.
 */
function findStored(companyKey: string, writer: string, written: Applied | Refused, item: Item | undefined) {
  if (!written.refused) return parseConnection(written.attributes, companyKey)
  return item && readText(item, 'written_by') === writer ? parseConnection(item, companyKey) : undefined
}

function toUpdate(used: Connection, { pair, rotated, now, writer }: Successor, end: LeaseEnd) {
  const hardExpiresAt = pair.refreshTokenHardExpiresAt ?? used.refreshTokenHardExpiresAt
  const lapsedAt = end === 'free' || rotated ? undefined : end.lapsedAt
  const values = {
    ...toTokenPairAttributes(used.companyKey, pair, hardExpiresAt, now, writer),
    last_rotation_at: rotated ? now : undefined,
    refreshes: formatHistory(addToHistory(used.refreshes, rotated ? 'rotated' : 'kept', now)),
    lease_until: lapsedAt,
  }
  const removed = lapsedAt === undefined ? `${LEASE_ATTRIBUTES}, ${FAILURE_ATTRIBUTES}` : FAILURE_ATTRIBUTES
  // A rotated pair is stored without a lease. If the lease lapsed, this pair may be the only valid one.
  const unlessRotated = rotated ? [] : [isUntouched(used, writer)]
  return { values, removed, condition: all(isStillStored(used), isNotWrittenBy(writer), ...unlessRotated) }
}

function writeSuccessor(
  dynamo: DynamoDb,
  used: Connection,
  update: ReturnType<typeof toUpdate>,
  next: ReturnType<typeof selectGenerationUpdate>,
) {
  const condition = all(update.condition, next.condition)
  // One attempt: after the first failure, the caller parks the pair.
  return dynamo.updateItem(
    {
      Key: connectionKey(used.companyKey),
      UpdateExpression: `SET ${toAssignments(update.values)}, ${next.assignment} REMOVE ${update.removed}`,
      ConditionExpression: condition.expression,
      ExpressionAttributeValues: { ...condition.values, ...toAssignedValues(update.values), ...next.values },
      ReturnValues: 'ALL_NEW',
    },
    { attempts: 1 },
  )
}

/** Stores the successor of the token pair that was used (`ConnectionStore.replace`). */
export async function replaceTokenPair(
  { dynamo, findRefusingItem }: ConnectionTable,
  used: Connection,
  successor: Successor,
  end: LeaseEnd,
): Promise<Connection | undefined> {
  const { companyKey } = used
  const { writer } = successor
  const update = toUpdate(used, successor, end)
  const written = await writeSuccessor(dynamo, used, update, GENERATION_UPDATES.increment)
  const item = written.refused ? await findRefusingItem(companyKey, written) : undefined
  const next = selectGenerationUpdate(item)
  if (next === GENERATION_UPDATES.increment) return findStored(companyKey, writer, written, item)
  const repeated = await writeSuccessor(dynamo, used, update, next)
  return findStored(companyKey, writer, repeated, repeated.refused ? repeated.item : undefined)
}
