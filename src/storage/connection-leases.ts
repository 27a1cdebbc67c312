import { type Connection, EMBARGO, type EpochMs } from '../broker/connection.ts'
import type { ConnectionStore, LeaseEnd } from '../broker/ports.ts'
import { addRefreshNote } from '../broker/refresh/history.ts'
import { assigned, assignments, attribute, attributes, text } from './attribute-values.ts'
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
import { connectionKey, FAILURE_ATTRIBUTES, LEASE_ATTRIBUTES, parseConnection } from './connection-item.ts'
import type { DynamoDb, Item, Refused } from './dynamodb.ts'
import { formatHistory } from './refresh-history.ts'

/** Whether the stored token is still the one that was spent. A record written by hand has no hash: the token itself tells. */
export function stillStored({ refreshTokenHash, refreshToken }: Connection): Condition {
  const sameHash = isSameText('refresh_token_hash', refreshTokenHash)
  return refreshTokenHash === undefined ? all(sameHash, isSameText('refresh_token', refreshToken)) : sameHash
}

/** Nobody else holds the lease: a lease is an owner and an end, and one without the other is none. */
function mayTakeLease(owner: string, now: EpochMs): Condition {
  const isFree = any(isNoNumber('lease_until'), isBelow('lease_until', now, ':now'), isNoText('lease_owner'))
  return any(isFree, equals('lease_owner', attribute(owner), ':me'))
}

/**
 * The lease of this owner, which may have become the embargo of its own request: an embargo keeps the end of the lease,
 * and nobody acquires another before that.
 */
export function ownLease(owner: string, { lease }: Connection): Condition {
  const isEmbargo = equals('lease_owner', attribute(EMBARGO), ':embargo')
  const sameEnd = equals('lease_until', attribute(lease?.until ?? 0), ':my_until')
  return any(equals('lease_owner', attribute(owner), ':me'), all(isEmbargo, sameEnd))
}

/** What is set where a lease does not simply go. One that lapsed ends now and not at 0: a late claim of its holder is refused. */
function keptLease(end: LeaseEnd | 'embargo') {
  if (end === 'free') return undefined
  return end === 'embargo' ? { lease_owner: EMBARGO } : { lease_until: end.lapsedAt }
}

/** The right to spend a refresh token: who has it, and what it came to. */
export function createConnectionLeases(
  dynamo: DynamoDb,
  refusingItem: (companyKey: string, refused: Refused) => Promise<Item | undefined>,
  requireLeaseClock: () => void,
): Pick<ConnectionStore, 'claim' | 'release' | 'fail'> {
  return {
    async claim(companyKey, { owner, now, until, mayRetry }) {
      requireLeaseClock()
      const unleased = all(recordExists(), mayTakeLease(owner, now))
      const claim: Parameters<typeof dynamo.updateItem>[0] = {
        Key: connectionKey(companyKey),
        // The former owner is kept: one that is still there did not give its lease back.
        UpdateExpression:
          'SET lease_owner = :me, lease_until = :until, lapsed_owner = if_not_exists(lease_owner, :nobody)',
        ConditionExpression: unleased.expression,
        ExpressionAttributeValues: { ...unleased.values, ...attributes({ ':until': until, ':nobody': '-' }) },
        ReturnValues: 'ALL_NEW',
      }
      const claimed = await dynamo.updateItem(claim, { mayRetry })
      if (!claimed.refused) {
        const { attributes: item } = claimed
        const isTakeover = text(item, 'lapsed_owner') !== '-'
        return { outcome: 'claimed', connection: parseConnection(item, companyKey), isTakeover }
      }
      const item = await refusingItem(companyKey, claimed)
      return item ? { outcome: 'held', connection: parseConnection(item, companyKey) } : { outcome: 'gone' }
    },

    async release(companyKey, owner, end) {
      const kept = keptLease(end)
      await dynamo.updateItem({
        Key: connectionKey(companyKey),
        UpdateExpression: kept ? `SET ${assignments(kept)}` : `REMOVE ${LEASE_ATTRIBUTES}`,
        ConditionExpression: 'lease_owner = :me',
        ExpressionAttributeValues: { ...assigned(kept ?? {}), ...attributes({ ':me': owner }) },
      })
    },

    async fail(used, owner, failure, end, outcome) {
      const mayFail = all(stillStored(used), ownLease(owner, used))
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
        refreshes: formatHistory(addRefreshNote(used.refreshes, outcome, failure.at)),
        ...kept,
      }
      // What an earlier failure left must not be read as part of this one.
      const stale = FAILURE_ATTRIBUTES.split(', ').filter((name) => !(name in attributes(recorded)))
      const removed = [...stale, ...(kept ? [] : [LEASE_ATTRIBUTES])].join(', ')
      await dynamo.updateItem({
        Key: connectionKey(used.companyKey),
        UpdateExpression: `SET ${assignments(values)}${removed === '' ? '' : ` REMOVE ${removed}`}`,
        ConditionExpression: mayFail.expression,
        ExpressionAttributeValues: { ...assigned(values), ...mayFail.values },
      })
    },
  }
}
