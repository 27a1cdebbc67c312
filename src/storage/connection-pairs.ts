import type { Connection, EpochSeconds, StoredPair } from '../broker/connection.ts'
import type { ConnectionStore } from '../broker/ports.ts'
import { noted } from '../broker/refresh-history.ts'
import { assigned, assignments, attributes, text } from './attributes.ts'
import {
  connectionKey,
  connectionOf,
  DISCONNECTION_ATTRIBUTES,
  FAILURE_ATTRIBUTES,
  HOLDS_NO_TOKENS,
  LEASE_ATTRIBUTES,
} from './connection-item.ts'
import { ownLease, stillStored } from './connection-leases.ts'
import type { Applied, DynamoDb, Item, Refused } from './dynamodb.ts'
import { fleetAttributes } from './fleet-attributes.ts'
import { historyText } from './refresh-history.ts'

const SAME_ENVIRONMENT =
  '(attribute_not_exists(uses_sandbox_credentials) OR uses_sandbox_credentials = :uses_sandbox_credentials)'
const NOT_WRITTEN_BY_ME = '(attribute_not_exists(written_by) OR written_by <> :written_by)'
const NEXT_GENERATION = 'generation = if_not_exists(generation, :zero) + :one'

/** Of the five years Intuit's answer may say nothing: what the record knows stays true. */
function pairAttributes(
  companyKey: string,
  pair: StoredPair,
  hardExpiresAt: EpochSeconds | undefined,
  now: EpochSeconds,
  writer: string,
) {
  return {
    access_token: pair.accessToken,
    access_token_expires_at: pair.accessTokenExpiresAt,
    refresh_token: pair.refreshToken,
    refresh_token_expires_at: pair.refreshTokenExpiresAt,
    refresh_token_hard_expires_at: hardExpiresAt,
    refresh_token_hash: pair.refreshTokenHash,
    last_refresh_at: now,
    updated_at: now,
    written_by: writer,
    ...fleetAttributes({
      companyKey,
      holdsRefreshToken: true,
      refreshTokenExpiresAt: pair.refreshTokenExpiresAt,
      refreshTokenHardExpiresAt: hardExpiresAt,
    }),
  }
}

/** Somebody who refreshed this token in between has raised the generation, or has the lease. */
function nobodyElse(spent: Connection, writer: string) {
  const own = ownLease(writer, spent)
  const sameGeneration =
    spent.generation === 0
      ? '(attribute_not_exists(generation) OR generation = :generation)'
      : 'generation = :generation'
  return {
    condition: ` AND ${own.condition} AND ${sameGeneration}`,
    values: { ...own.values, ...attributes({ ':generation': spent.generation }) },
  }
}

/** The writes of token pairs: the first one of a consent, and the successor of a spent one. */
export function connectionPairs(
  dynamo: DynamoDb,
  refusingItem: (companyKey: string, refused: Refused) => Promise<Item | undefined>,
): Pick<ConnectionStore, 'connect' | 'replace'> {
  /** A write that was refused may be our own one, applied when its first answer was lost. */
  const ownOrApplied = async (companyKey: string, writer: string, written: Applied | Refused) => {
    if (!written.refused) return connectionOf(written.attributes, companyKey)
    const item = await refusingItem(companyKey, written)
    return item && text(item, 'written_by') === writer ? connectionOf(item, companyKey) : undefined
  }

  return {
    async connect(companyKey, { companyName, environment, realmId, pair, at, writer }) {
      const now = Math.floor(at / 1000)
      const values = {
        company_key: companyKey,
        company_name: companyName,
        uses_sandbox_credentials: environment === 'sandbox',
        ...pairAttributes(companyKey, pair, pair.refreshTokenHardExpiresAt, now, writer),
        last_rotation_at: now,
        realm_id: realmId,
        connected_at: at,
        connected_by: writer,
      }
      const known = attributes({ realm_id: realmId, refresh_token_hard_expires_at: pair.refreshTokenHardExpiresAt })
      const unknown = ['realm_id', 'refresh_token_hard_expires_at'].filter((name) => !(name in known))
      const sameRealm = realmId === undefined ? '' : ' OR realm_id = :realm_id'
      const forget = [LEASE_ATTRIBUTES, FAILURE_ATTRIBUTES, DISCONNECTION_ATTRIBUTES, 'expires_at', ...unknown]
      const written = await dynamo.updateItem({
        Key: connectionKey(companyKey),
        UpdateExpression: `SET ${assignments(values)}, created_at = if_not_exists(created_at, :now), ${NEXT_GENERATION} REMOVE ${forget.join(', ')}`,
        // Not the generation: a refresh may raise it meanwhile. No refresh touches `connected_at`.
        ConditionExpression: `((attribute_not_exists(realm_id)${sameRealm}) AND ${SAME_ENVIRONMENT} OR ${HOLDS_NO_TOKENS}) AND (attribute_not_exists(connected_at) OR connected_at < :connected_at)`,
        ExpressionAttributeValues: { ...assigned(values), ...attributes({ ':now': now, ':zero': 0, ':one': 1 }) },
        ReturnValues: 'ALL_NEW',
      })
      const item = written.refused ? await refusingItem(companyKey, written) : written.attributes
      return connectionOf(item ?? {}, companyKey)
    },

    async replace(spent, { pair, rotated, now, writer }, end) {
      const { companyKey } = spent
      const stored = stillStored(spent)
      const hardExpiresAt = pair.refreshTokenHardExpiresAt ?? spent.refreshTokenHardExpiresAt
      const lapsedAt = end === 'free' || rotated ? undefined : end.lapsedAt
      const values = {
        ...pairAttributes(companyKey, pair, hardExpiresAt, now, writer),
        last_rotation_at: rotated ? now : undefined,
        refreshes: historyText(noted(spent.refreshes, rotated ? 'rotated' : 'kept', now)),
        lease_until: lapsedAt,
      }
      const forget = lapsedAt === undefined ? `${LEASE_ATTRIBUTES}, ${FAILURE_ATTRIBUTES}` : FAILURE_ATTRIBUTES
      // A rotated pair needs no lease: if it lapsed meanwhile, this pair may be the only living one.
      const unlessRotated = rotated ? { condition: '', values: {} } : nobodyElse(spent, writer)
      const replacement: Parameters<typeof dynamo.updateItem>[0] = {
        Key: connectionKey(companyKey),
        UpdateExpression: `SET ${assignments(values)}, ${NEXT_GENERATION} REMOVE ${forget}`,
        ConditionExpression: `${stored.condition} AND ${NOT_WRITTEN_BY_ME}${unlessRotated.condition}`,
        ExpressionAttributeValues: {
          ...assigned(values),
          ...stored.values,
          ...unlessRotated.values,
          ...attributes({ ':zero': 0, ':one': 1 }),
        },
        ReturnValues: 'ALL_NEW',
      }
      // One attempt: whoever waits has to know of the first failure, to park the pair.
      const written = await dynamo.updateItem(replacement, { attempts: 1 })
      return ownOrApplied(companyKey, writer, written)
    },
  }
}
