import type { Connection } from '../broker/connection.ts'
import type { LeaseEnd, Successor } from '../broker/ports/storage.ts'
import { addRefreshNote } from '../broker/refresh/history.ts'
import { assigned, assignments, attribute, text } from './attribute-values.ts'
import { all, type Condition, equals, isSameInteger, not } from './conditions.ts'
import {
  type ConnectionTable,
  connectionKey,
  FAILURE_ATTRIBUTES,
  LEASE_ATTRIBUTES,
  parseConnection,
} from './connection-item.ts'
import { ownLease, stillStored } from './connection-leases.ts'
import type { Applied, DynamoDb, Item, Refused } from './dynamodb.ts'
import { formatHistory } from './refresh-history.ts'
import { NEXT_GENERATION, nextGeneration, tokenPairAttributes } from './token-pair-attributes.ts'

function isNotWrittenBy(writer: string): Condition {
  return not(equals('written_by', attribute(writer), ':written_by'))
}

/** Another writer that refreshed this token has raised the generation or holds the lease. */
function isUntouched(used: Connection, writer: string): Condition {
  return all(ownLease(writer, used), isSameInteger('generation', used.generation))
}

/** `item` refused the write. It may hold our own pair: the write was applied, and its response was lost. */
function findStored(companyKey: string, writer: string, written: Applied | Refused, item: Item | undefined) {
  if (!written.refused) return parseConnection(written.attributes, companyKey)
  return item && text(item, 'written_by') === writer ? parseConnection(item, companyKey) : undefined
}

function toUpdate(used: Connection, { pair, rotated, now, writer }: Successor, end: LeaseEnd) {
  const hardExpiresAt = pair.refreshTokenHardExpiresAt ?? used.refreshTokenHardExpiresAt
  const lapsedAt = end === 'free' || rotated ? undefined : end.lapsedAt
  const values = {
    ...tokenPairAttributes(used.companyKey, pair, hardExpiresAt, now, writer),
    last_rotation_at: rotated ? now : undefined,
    refreshes: formatHistory(addRefreshNote(used.refreshes, rotated ? 'rotated' : 'kept', now)),
    lease_until: lapsedAt,
  }
  const removed = lapsedAt === undefined ? `${LEASE_ATTRIBUTES}, ${FAILURE_ATTRIBUTES}` : FAILURE_ATTRIBUTES
  // A rotated pair needs no lease: if the lease lapsed, this pair may be the only valid one.
  const unlessRotated = rotated ? [] : [isUntouched(used, writer)]
  return { values, removed, condition: all(stillStored(used), isNotWrittenBy(writer), ...unlessRotated) }
}

function writeSuccessor(
  dynamo: DynamoDb,
  used: Connection,
  update: ReturnType<typeof toUpdate>,
  next: ReturnType<typeof nextGeneration>,
) {
  const condition = all(update.condition, next.condition)
  // One attempt: the caller has to learn of the first failure, so that it can park the pair.
  return dynamo.updateItem(
    {
      Key: connectionKey(used.companyKey),
      UpdateExpression: `SET ${assignments(update.values)}, ${next.assignment} REMOVE ${update.removed}`,
      ConditionExpression: condition.expression,
      ExpressionAttributeValues: { ...condition.values, ...assigned(update.values), ...next.values },
      ReturnValues: 'ALL_NEW',
    },
    { attempts: 1 },
  )
}

/** Stores the token pair that follows the one that was used (`ConnectionStore.replace`). */
export async function replaceTokenPair(
  { dynamo, findRefusingItem }: ConnectionTable,
  used: Connection,
  successor: Successor,
  end: LeaseEnd,
): Promise<Connection | undefined> {
  const { companyKey } = used
  const { writer } = successor
  const update = toUpdate(used, successor, end)
  const written = await writeSuccessor(dynamo, used, update, NEXT_GENERATION.usual)
  const item = written.refused ? await findRefusingItem(companyKey, written) : undefined
  const next = nextGeneration(item)
  if (next === NEXT_GENERATION.usual) return findStored(companyKey, writer, written, item)
  const repeated = await writeSuccessor(dynamo, used, update, next)
  return findStored(companyKey, writer, repeated, repeated.refused ? repeated.item : undefined)
}
