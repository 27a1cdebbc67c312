import { type Connection, changeTime } from '../broker/connection.ts'
import type { DisconnectionStore } from '../broker/ports/storage.ts'
import { toSeconds } from '../broker/timing.ts'
import { readText, toAssignedValues, toAssignments, toAttribute, toAttributes } from './attribute-values.ts'
import { all, type Condition, equals, isSameInteger, isSameText } from './conditions.ts'
import { connectionKey, FAILURE_ATTRIBUTES, LEASE_ATTRIBUTES } from './connection-item.ts'
import type { DynamoDb } from './dynamodb.ts'
import { toFleetAttributes } from './fleet-keys.ts'

const TOKEN_ATTRIBUTES =
  'access_token, access_token_expires_at, refresh_token, refresh_token_expires_at, refresh_token_hard_expires_at, refresh_token_hash'

const NO_TOKENS = {
  holdsRefreshToken: false,
  refreshTokenExpiresAt: undefined,
  refreshTokenHardExpiresAt: undefined,
}

/**
 * The record has not changed since it was read. Compares the tokens too: a record written by hand has no generation.
 */
function isUnchanged({ generation, accessToken, refreshToken }: Connection): Condition {
  return all(
    isSameInteger('generation', generation),
    isSameText('access_token', accessToken),
    isSameText('refresh_token', refreshToken),
  )
}

/** An unconfirmed result never replaces a confirmed one: Intuit rejects the second revocation of a token. */
function maySettle(writer: string, isConfirmed: boolean): Condition {
  const isOurs = equals('connected_by', toAttribute(writer), ':writer')
  return isConfirmed ? isOurs : all(isOurs, equals('revocation', toAttribute('pending'), ':pending'))
}

/**
 * Erases the tokens of connections and keeps their records. `connected_at` and `connected_by` become those of the
 * disconnect, so that a late write of an older consent cannot undo it.
 */
export function createDisconnectionStore(dynamo: DynamoDb): DisconnectionStore {
  return {
    async erase(seen, { writer, at, tokenToRevoke }) {
      const unchanged = isUnchanged(seen)
      const now = toSeconds(at)
      const set = {
        ...{ updated_at: now, disconnected_at: now, generation: seen.generation + 1 },
        ...{ connected_at: changeTime({ at, after: seen.lastChange }), connected_by: writer },
        ...{ revocation: 'pending', revocation_token: tokenToRevoke },
        ...toFleetAttributes({ companyKey: seen.companyKey, ...NO_TOKENS }),
      }
      const removed = [
        TOKEN_ATTRIBUTES,
        LEASE_ATTRIBUTES,
        FAILURE_ATTRIBUTES,
        'consented_by',
        'revocation_at',
        'revocation_tid',
      ]
      if (tokenToRevoke === undefined) removed.push('revocation_token')
      const erased = await dynamo.updateItem({
        Key: connectionKey(seen.companyKey),
        UpdateExpression: `SET ${toAssignments(set)} REMOVE ${removed.join(', ')}`,
        ConditionExpression: unchanged.expression,
        ExpressionAttributeValues: { ...unchanged.values, ...toAssignedValues(set) },
      })
      if (!erased.refused) return true
      const item =
        erased.item ?? (await dynamo.getItem({ Key: connectionKey(seen.companyKey), ConsistentRead: true })) ?? {}
      return readText(item, 'connected_by') === writer
    },

    async settle(companyKey, { writer, revocation, intuitTid, now }) {
      const condition = maySettle(writer, revocation === 'confirmed')
      const settled = await dynamo.updateItem({
        Key: connectionKey(companyKey),
        UpdateExpression: `SET revocation = :revocation, revocation_at = :now${intuitTid === undefined ? '' : ', revocation_tid = :tid'} REMOVE revocation_token`,
        ConditionExpression: condition.expression,
        ExpressionAttributeValues: {
          ...condition.values,
          ...toAttributes({ ':revocation': revocation, ':now': now, ':tid': intuitTid }),
        },
      })
      return !settled.refused
    },
  }
}
