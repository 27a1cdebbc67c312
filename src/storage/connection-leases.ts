import { type Connection, EMBARGO, type EpochMs, type Failure, type FailureReason } from '../broker/connection.ts'
import type { ConnectionStore, LeaseAcquisition, LeaseEnd, LeaseRequest } from '../broker/ports/storage.ts'
import { addToHistory } from '../broker/refresh/history.ts'
import { readText, toAssignedValues, toAssignments, toAttribute, toAttributes } from './attribute-values.ts'
import {
  all,
  any,
  type Condition,
  equals,
  isBelow,
  isNoNumber,
  isNoText,
  isSameText,
  recordExists,
} from './conditions.ts'
import {
  type ConnectionTable,
  connectionKey,
  FAILURE_ATTRIBUTES,
  LEASE_ATTRIBUTES,
  parseConnection,
} from './connection-item.ts'
import type { DynamoDb } from './dynamodb.ts'
import { formatHistory } from './refresh-history.ts'

/**
 * The stored refresh token is still the one that was used. A record written by hand has no hash: the token is compared.
 */
export function isStillStored({ refreshTokenHash, refreshToken }: Connection): Condition {
  const sameHash = isSameText('refresh_token_hash', refreshTokenHash)
  return refreshTokenHash === undefined ? all(sameHash, isSameText('refresh_token', refreshToken)) : sameHash
}

/** Nobody else holds the lease. A lease has an owner and an end: one without the other counts as none. */
function mayTakeLease(owner: string, now: EpochMs): Condition {
  const isFree = any(isNoNumber('lease_until'), isBelow('lease_until', now, ':now'), isNoText('lease_owner'))
  return any(isFree, equals('lease_owner', toAttribute(owner), ':me'))
}

/**
 * The lease is this owner's. It may have become the embargo of its own request: an embargo keeps the end of the lease,
 * and nobody acquires another lease before that.
 */
export function isOwnLease(owner: string, { lease }: Connection): Condition {
  const isEmbargo = equals('lease_owner', toAttribute(EMBARGO), ':embargo')
  const sameEnd = equals('lease_until', toAttribute(lease?.until ?? 0), ':my_until')
  return any(equals('lease_owner', toAttribute(owner), ':me'), all(isEmbargo, sameEnd))
}

/**
 * What remains of a lease that is not removed. A lapsed lease ends now and not at 0, so that a late attempt of its holder
 * to acquire it is refused.
 */
function keptLease(end: LeaseEnd | 'embargo') {
  if (end === 'free') return undefined
  return end === 'embargo' ? { lease_owner: EMBARGO } : { lease_until: end.lapsedAt }
}

async function acquireLease(
  { dynamo, findRefusingItem }: ConnectionTable,
  companyKey: string,
  { owner, now, until, mayRetry }: LeaseRequest,
): Promise<LeaseAcquisition> {
  const unleased = all(recordExists(), mayTakeLease(owner, now))
  const input: Parameters<typeof dynamo.updateItem>[0] = {
    Key: connectionKey(companyKey),
    // The former owner is kept. If there is one, it did not release its lease.
    UpdateExpression: 'SET lease_owner = :me, lease_until = :until, lapsed_owner = if_not_exists(lease_owner, :nobody)',
    ConditionExpression: unleased.expression,
    ExpressionAttributeValues: { ...unleased.values, ...toAttributes({ ':until': until, ':nobody': '-' }) },
    ReturnValues: 'ALL_NEW',
  }
  const acquired = await dynamo.updateItem(input, { mayRetry })
  if (!acquired.refused) {
    const { attributes: item } = acquired
    const isTakeover = readText(item, 'lapsed_owner') !== '-'
    return { outcome: 'acquired', connection: parseConnection(item, companyKey), isTakeover }
  }
  const item = await findRefusingItem(companyKey, acquired)
  return item ? { outcome: 'held', connection: parseConnection(item, companyKey) } : { outcome: 'not_found' }
}

async function releaseLease(dynamo: DynamoDb, companyKey: string, owner: string, end: LeaseEnd): Promise<void> {
  const kept = keptLease(end)
  await dynamo.updateItem({
    Key: connectionKey(companyKey),
    UpdateExpression: kept ? `SET ${toAssignments(kept)}` : `REMOVE ${LEASE_ATTRIBUTES}`,
    ConditionExpression: 'lease_owner = :me',
    ExpressionAttributeValues: { ...toAssignedValues(kept ?? {}), ...toAttributes({ ':me': owner }) },
  })
}

async function recordFailure(
  dynamo: DynamoDb,
  used: Connection,
  owner: string,
  failure: Failure,
  end: LeaseEnd | 'embargo',
  outcome: FailureReason,
): Promise<void> {
  const mayFail = all(isStillStored(used), isOwnLease(owner, used))
  const kept = keptLease(end)
  const recorded = {
    failure_code: failure.reason,
    failure_error: failure.intuitError,
    failure_tid: failure.intuitTid,
    failure_client: failure.client,
    failure_not_before: failure.notBefore,
    failure_count: failure.count,
    failure_since: failure.since,
    failed_at: failure.at,
    retry_at: failure.retryAt,
  }
  const values = {
    ...recorded,
    refreshes: formatHistory(addToHistory(used.refreshes, outcome, failure.at)),
    ...kept,
  }
  // Attributes of an earlier failure must not be read as part of this one.
  const stale = FAILURE_ATTRIBUTES.split(', ').filter((name) => !(name in toAttributes(recorded)))
  const removed = [...stale, ...(kept ? [] : [LEASE_ATTRIBUTES])].join(', ')
  await dynamo.updateItem({
    Key: connectionKey(used.companyKey),
    UpdateExpression: `SET ${toAssignments(values)}${removed === '' ? '' : ` REMOVE ${removed}`}`,
    ConditionExpression: mayFail.expression,
    ExpressionAttributeValues: { ...toAssignedValues(values), ...mayFail.values },
  })
}

/** Leases: the right to use a refresh token. `requireLeaseClock` throws if the clock is too far off to acquire one. */
export function createConnectionLeases(
  table: ConnectionTable,
  requireLeaseClock: () => void,
): Pick<ConnectionStore, 'acquireLease' | 'releaseLease' | 'fail'> {
  const { dynamo } = table
  return {
    async acquireLease(companyKey, request) {
      requireLeaseClock()
      return acquireLease(table, companyKey, request)
    },
    releaseLease: (companyKey, owner, end) => releaseLease(dynamo, companyKey, owner, end),
    fail: (used, owner, failure, end, outcome) => recordFailure(dynamo, used, owner, failure, end, outcome),
  }
}
