import { type Connection, changeTime } from '../broker/connection.ts'
import type { DisconnectionStore } from '../broker/ports/storage.ts'
import { assigned, assignments, attribute, attributes, text } from './attribute-values.ts'
import { all, type Condition, equals, isSameInteger, isSameText } from './conditions.ts'
import { connectionKey, FAILURE_ATTRIBUTES, LEASE_ATTRIBUTES } from './connection-item.ts'
import type { DynamoDb } from './dynamodb.ts'
import { fleetAttributes } from './fleet-keys.ts'

const TOKEN_ATTRIBUTES =
  'access_token, access_token_expires_at, refresh_token, refresh_token_expires_at, refresh_token_hard_expires_at, refresh_token_hash'

const NO_TOKEN_LEFT = {
  holdsRefreshToken: false,
  refreshTokenExpiresAt: undefined,
  refreshTokenHardExpiresAt: undefined,
}

/** Every stored pair raises the generation. The tokens are compared for records written by hand. */
function isUnchanged({ generation, accessToken, refreshToken }: Connection): Condition {
  return all(
    isSameInteger('generation', generation),
    isSameText('access_token', accessToken),
    isSameText('refresh_token', refreshToken),
  )
}

/** Intuit refuses to revoke a token twice, so an unconfirmed result never replaces a confirmed one. */
function maySettle(writer: string, isConfirmed: boolean): Condition {
  const isOurs = equals('connected_by', attribute(writer), ':writer')
  return isConfirmed ? isOurs : all(isOurs, equals('revocation', attribute('pending'), ':pending'))
}

/**
 * Erases the tokens of connections and keeps their records. `connected_at` and `connected_by` become those of the
 * disconnect, so that a late write of an older consent cannot undo it.
 */
export function createDisconnectionStore(dynamo: DynamoDb): DisconnectionStore {
  return {
    async erase(seen, { writer, at, tokenToRevoke }) {
      const unchanged = isUnchanged(seen)
      const now = Math.floor(at / 1000)
      const set = {
        ...{ updated_at: now, disconnected_at: now, generation: seen.generation + 1 },
        ...{ connected_at: changeTime({ at, after: seen.lastChange }), connected_by: writer },
        ...{ revocation: 'pending', revocation_token: tokenToRevoke },
        ...fleetAttributes({ companyKey: seen.companyKey, ...NO_TOKEN_LEFT }),
      }
      const removed = [TOKEN_ATTRIBUTES, LEASE_ATTRIBUTES, FAILURE_ATTRIBUTES, 'revocation_at', 'revocation_tid']
      if (tokenToRevoke === undefined) removed.push('revocation_token')
      const erased = await dynamo.updateItem({
        Key: connectionKey(seen.companyKey),
        UpdateExpression: `SET ${assignments(set)} REMOVE ${removed.join(', ')}`,
        ConditionExpression: unchanged.expression,
        ExpressionAttributeValues: { ...unchanged.values, ...assigned(set) },
      })
      if (!erased.refused) return true
      const item =
        erased.item ?? (await dynamo.getItem({ Key: connectionKey(seen.companyKey), ConsistentRead: true })) ?? {}
      return text(item, 'connected_by') === writer
    },

    async settle(companyKey, { writer, revocation, intuitTid, now }) {
      const mine = maySettle(writer, revocation === 'confirmed')
      const settled = await dynamo.updateItem({
        Key: connectionKey(companyKey),
        UpdateExpression: `SET revocation = :revocation, revocation_at = :now${intuitTid === undefined ? '' : ', revocation_tid = :tid'} REMOVE revocation_token`,
        ConditionExpression: mine.expression,
        ExpressionAttributeValues: {
          ...mine.values,
          ...attributes({ ':revocation': revocation, ':now': now, ':tid': intuitTid }),
        },
      })
      return !settled.refused
    },
  }
}
