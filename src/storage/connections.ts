import type { Connection, StoredPair } from '../broker/connection.ts'
import type { ConnectionStore } from '../broker/ports.ts'
import { assigned, assignments, attributes, text } from './attributes.ts'
import { connectionOf, FAILURE_ATTRIBUTES, isExpired, LEASE_ATTRIBUTES } from './connection-item.ts'
import type { Applied, DynamoDb, Item, Refused } from './dynamodb.ts'

const HOLDS_NO_TOKENS = 'attribute_not_exists(access_token) AND attribute_not_exists(refresh_token)'
const NEVER_CONNECTED = `attribute_not_exists(realm_id) AND ${HOLDS_NO_TOKENS} AND (attribute_not_exists(generation) OR generation = :zero)`
const NOT_WRITTEN_BY_ME = '(attribute_not_exists(written_by) OR written_by <> :written_by)'
/** While Intuit hands out the same refresh token, its hash does not tell an older answer from a newer one. */
const NO_NEWER_PAIR =
  '(attribute_not_exists(generation) OR generation = :generation OR access_token_expires_at <= :access_token_expires_at)'
const NEXT_GENERATION = 'generation = if_not_exists(generation, :zero) + :one'

const key = (companyKey: string) => attributes({ pk: `connection#${companyKey}` })

/** Whether the stored token is still the one that was spent. A record written by hand has no hash: the token itself tells. */
const stillStored = ({ refreshTokenHash, refreshToken }: Connection) =>
  refreshTokenHash === undefined
    ? {
        condition: 'attribute_not_exists(refresh_token_hash) AND refresh_token = :spent',
        values: attributes({ ':spent': refreshToken }),
      }
    : { condition: 'refresh_token_hash = :spent', values: attributes({ ':spent': refreshTokenHash }) }

const pairAttributes = (pair: StoredPair, now: number, writer: string) => ({
  access_token: pair.accessToken,
  access_token_expires_at: pair.accessTokenExpiresAt,
  refresh_token: pair.refreshToken,
  refresh_token_expires_at: pair.refreshTokenExpiresAt,
  refresh_token_hard_expires_at: pair.refreshTokenHardExpiresAt,
  refresh_token_hash: pair.refreshTokenHash,
  last_refresh_at: now,
  updated_at: now,
  written_by: writer,
})

/** Connection records in DynamoDB. No write needs a transaction; each may be applied twice, as the transport repeats what it had no answer to. */
export const connectionStore = (dynamo: DynamoDb): ConnectionStore => {
  const readItem = (companyKey: string) => dynamo.getItem({ Key: key(companyKey), ConsistentRead: true })

  /** The item that refused a condition: told by DynamoDB, read where the engine does not tell. */
  const refusingItem = async (companyKey: string, refused: Refused) => refused.item ?? (await readItem(companyKey))

  /** A pair's write that was refused may be our own one, applied when its first answer was lost. */
  const ownOrApplied = async (companyKey: string, writer: string, written: Applied | Refused) => {
    if (!written.refused) return connectionOf(written.attributes, companyKey)
    const item = await refusingItem(companyKey, written)
    return item && text(item, 'written_by') === writer ? connectionOf(item, companyKey) : undefined
  }

  /** Overwrites what an unfinished attempt left that has expired and that DynamoDB has not yet deleted. */
  const startAnew = async (companyKey: string, values: Parameters<typeof attributes>[0]): Promise<Item> => {
    const item = attributes({ pk: `connection#${companyKey}`, ...values })
    const put = await dynamo.putItem({
      Item: item,
      ConditionExpression: NEVER_CONNECTED,
      ExpressionAttributeValues: attributes({ ':zero': 0 }),
    })
    return put.refused ? ((await refusingItem(companyKey, put)) ?? item) : item
  }

  return {
    async read(companyKey, now) {
      const item = await readItem(companyKey)
      return item && !isExpired(item, now) ? connectionOf(item, companyKey) : undefined
    },

    async begin(companyKey, { companyName, environment, now, expiresAt }) {
      const initial = {
        company_key: companyKey,
        company_name: companyName,
        uses_sandbox_credentials: environment === 'sandbox',
        created_at: now,
        updated_at: now,
        generation: 0,
      }
      const unlessThere = Object.keys(initial).map((name) => `${name} = if_not_exists(${name}, :${name})`)
      const begun = await dynamo.updateItem({
        Key: key(companyKey),
        UpdateExpression: `SET ${unlessThere.join(', ')}, expires_at = :expires_at`,
        ConditionExpression: NEVER_CONNECTED,
        ExpressionAttributeValues: {
          ...assigned({ ...initial, expires_at: expiresAt }),
          ...attributes({ ':zero': 0 }),
        },
        ReturnValues: 'ALL_OLD',
      })
      if (begun.refused) return connectionOf((await refusingItem(companyKey, begun)) ?? {}, companyKey)
      const before = begun.attributes
      const isLeftover = isExpired(before, now)
      const item = isLeftover ? await startAnew(companyKey, { ...initial, expires_at: expiresAt }) : before
      return connectionOf({ ...attributes(initial), ...item }, companyKey)
    },

    async connect(companyKey, { companyName, environment, realmId, pair, now, writer }) {
      const values = {
        company_key: companyKey,
        company_name: companyName,
        uses_sandbox_credentials: environment === 'sandbox',
        ...pairAttributes(pair, now, writer),
        last_rotation_at: now,
        realm_id: realmId,
      }
      const unknown = Object.entries({
        realm_id: realmId,
        refresh_token_hard_expires_at: pair.refreshTokenHardExpiresAt,
      })
        .filter(([, value]) => value === undefined)
        .map(([name]) => name)
      const sameRealm = realmId === undefined ? '' : ' OR realm_id = :realm_id'
      const forget = [LEASE_ATTRIBUTES, FAILURE_ATTRIBUTES, 'expires_at', ...unknown]
      const written = await dynamo.updateItem({
        Key: key(companyKey),
        UpdateExpression: `SET ${assignments(values)}, created_at = if_not_exists(created_at, :now), ${NEXT_GENERATION} REMOVE ${forget.join(', ')}`,
        ConditionExpression: `(attribute_not_exists(realm_id)${sameRealm} OR (${HOLDS_NO_TOKENS})) AND ${NOT_WRITTEN_BY_ME}`,
        ExpressionAttributeValues: { ...assigned(values), ...attributes({ ':now': now, ':zero': 0, ':one': 1 }) },
        ReturnValues: 'ALL_NEW',
      })
      return ownOrApplied(companyKey, writer, written)
    },

    async claim(companyKey, { owner, now, until }) {
      const claimed = await dynamo.updateItem({
        Key: key(companyKey),
        // The former owner is kept: one that is still there did not give its lease back.
        UpdateExpression:
          'SET lease_owner = :me, lease_until = :until, lapsed_owner = if_not_exists(lease_owner, :nobody)',
        ConditionExpression:
          'attribute_exists(pk) AND (attribute_not_exists(lease_until) OR lease_until < :now OR lease_owner = :me)',
        ExpressionAttributeValues: attributes({ ':me': owner, ':until': until, ':now': now, ':nobody': '-' }),
        ReturnValues: 'ALL_NEW',
      })
      if (!claimed.refused) {
        const { attributes: item } = claimed
        return {
          outcome: 'claimed',
          connection: connectionOf(item, companyKey),
          tookOver: text(item, 'lapsed_owner') !== '-',
        }
      }
      const item = await refusingItem(companyKey, claimed)
      return item ? { outcome: 'held', connection: connectionOf(item, companyKey) } : { outcome: 'gone' }
    },

    async release(companyKey, owner, as) {
      const isFree = as === 'free'
      await dynamo.updateItem({
        Key: key(companyKey),
        UpdateExpression: isFree ? `REMOVE ${LEASE_ATTRIBUTES}` : 'SET lease_until = :lapsed',
        ConditionExpression: 'lease_owner = :me',
        ExpressionAttributeValues: attributes({ ':me': owner, ':lapsed': isFree ? undefined : 0 }),
      })
    },

    async replace(spent, { pair, rotated, spentGeneration, now, writer }) {
      const { companyKey } = spent
      const stored = stillStored(spent)
      const values = { ...pairAttributes(pair, now, writer), last_rotation_at: rotated ? now : undefined }
      const replacement: Parameters<typeof dynamo.updateItem>[0] = {
        Key: key(companyKey),
        UpdateExpression: `SET ${assignments(values)}, ${NEXT_GENERATION} REMOVE ${LEASE_ATTRIBUTES}, ${FAILURE_ATTRIBUTES}`,
        // No lease in the condition: if it lapsed meanwhile, this pair may still be the only living one.
        ConditionExpression: `${stored.condition} AND ${NOT_WRITTEN_BY_ME}${rotated ? '' : ` AND ${NO_NEWER_PAIR}`}`,
        ExpressionAttributeValues: {
          ...assigned(values),
          ...stored.values,
          ...attributes({ ':zero': 0, ':one': 1, ':generation': rotated ? undefined : spentGeneration }),
        },
        ReturnValues: 'ALL_NEW',
      }
      // One attempt: whoever waits has to know of the first failure, to park the pair.
      const written = await dynamo.updateItem(replacement, { attempts: 1 })
      return ownOrApplied(companyKey, writer, written)
    },

    async fail(spent, owner, failure, as) {
      const stored = stillStored(spent)
      const values = {
        failure_code: failure.reason,
        failure_tid: failure.intuitTid,
        failure_count: failure.count,
        failure_since: failure.since,
        failed_at: failure.at,
        retry_at: failure.retryAt,
        lease_until: as === 'lapsed' ? 0 : undefined,
      }
      await dynamo.updateItem({
        Key: key(spent.companyKey),
        UpdateExpression: `SET ${assignments(values)}${as === 'free' ? ` REMOVE ${LEASE_ATTRIBUTES}` : ''}`,
        ConditionExpression: `${stored.condition} AND lease_owner = :me`,
        ExpressionAttributeValues: { ...assigned(values), ...stored.values, ...attributes({ ':me': owner }) },
      })
    },
  }
}
