import type { Connection } from '../broker/connection.ts'
import type { DisconnectionStore } from '../broker/ports.ts'
import { assigned, assignments, attributes, text } from './attributes.ts'
import { connectionKey, FAILURE_ATTRIBUTES, LEASE_ATTRIBUTES } from './connection-item.ts'
import type { DynamoDb } from './dynamodb.ts'
import { fleetAttributes } from './fleet-attributes.ts'

const TOKEN_ATTRIBUTES =
  'access_token, access_token_expires_at, refresh_token, refresh_token_expires_at, refresh_token_hard_expires_at, refresh_token_hash'

/** Every stored pair raises the generation; the two tokens tell where a record was written by hand. */
function unchanged({ generation, accessToken, refreshToken }: Connection) {
  return {
    condition: [
      generation === 0 ? '(attribute_not_exists(generation) OR generation = :generation)' : 'generation = :generation',
      accessToken === undefined ? 'attribute_not_exists(access_token)' : 'access_token = :access_token',
      refreshToken === undefined ? 'attribute_not_exists(refresh_token)' : 'refresh_token = :refresh_token',
    ].join(' AND '),
    values: attributes({ ':generation': generation, ':access_token': accessToken, ':refresh_token': refreshToken }),
  }
}

/**
 * The end of connections in DynamoDB: the record stays, its tokens go. `connected_at` and `connected_by` become the
 * disconnect's own, so that an older consent whose write is repeated late cannot undo it.
 */
export function disconnectionStore(dynamo: DynamoDb): DisconnectionStore {
  return {
    async erase(seen, { writer, at }) {
      const { condition, values } = unchanged(seen)
      const nothing = {
        holdsRefreshToken: false,
        refreshTokenExpiresAt: undefined,
        refreshTokenHardExpiresAt: undefined,
      }
      const set = {
        ...{ updated_at: Math.floor(at / 1000), disconnected_at: Math.floor(at / 1000) },
        ...{ connected_at: at, connected_by: writer, revocation: 'pending' },
        ...fleetAttributes({ companyKey: seen.companyKey, ...nothing }),
      }
      const erased = await dynamo.updateItem({
        Key: connectionKey(seen.companyKey),
        UpdateExpression: `SET ${assignments(set)}, generation = if_not_exists(generation, :zero) + :one REMOVE ${TOKEN_ATTRIBUTES}, ${LEASE_ATTRIBUTES}, ${FAILURE_ATTRIBUTES}, revocation_at, revocation_tid`,
        ConditionExpression: condition,
        ExpressionAttributeValues: { ...values, ...assigned(set), ...attributes({ ':zero': 0, ':one': 1 }) },
      })
      if (!erased.refused) return true
      const item =
        erased.item ?? (await dynamo.getItem({ Key: connectionKey(seen.companyKey), ConsistentRead: true })) ?? {}
      return text(item, 'connected_by') === writer
    },

    async settle(companyKey, { writer, revocation, intuitTid, now }) {
      await dynamo.updateItem({
        Key: connectionKey(companyKey),
        UpdateExpression: `SET revocation = :revocation, revocation_at = :now${intuitTid === undefined ? '' : ', revocation_tid = :tid'}`,
        ConditionExpression: 'connected_by = :writer',
        ExpressionAttributeValues: attributes({
          ':revocation': revocation,
          ':now': now,
          ':tid': intuitTid,
          ':writer': writer,
        }),
      })
    },
  }
}
