import { type Connection, changeTime, type EpochMs, holdsTokens } from '../broker/connection.ts'
import type { Consent } from '../broker/ports/storage.ts'
import { toSeconds } from '../broker/timing.ts'
import { readText, toAssignedValues, toAssignments, toAttribute, toAttributes } from './attribute-values.ts'
import { all, any, type Condition, equals, isBelow, isFlagOrNone, isNoNumber, isSameText } from './conditions.ts'
import {
  type ConnectionTable,
  connectionKey,
  DISCONNECTION_ATTRIBUTES,
  FAILURE_ATTRIBUTES,
  HOLDS_NO_TOKENS,
  LEASE_ATTRIBUTES,
  NAMES_NO_REALM,
  parseConnection,
  parseRealmId,
} from './connection-item.ts'
import type { Item } from './dynamodb.ts'
import { selectGenerationUpdate, toTokenPairAttributes } from './token-pair-attributes.ts'

/**
 * The condition for a consent to replace the record. `item` is a record that rejected the first attempt although it is
 * the same company. Such a record was written by hand: its realm id has surrounding spaces, or it has no
 * `uses_sandbox_credentials`.
 */
function mayConnect(
  { environment, realmId, isInvited = false }: Consent,
  connectedAt: EpochMs,
  item?: Item,
): Condition {
  const inSandbox = environment === 'sandbox'
  // Without the flag, the reader derives the environment from the names.
  const sameEnvironment = item
    ? all(
        isFlagOrNone('uses_sandbox_credentials', inSandbox),
        isSameText('company_name', readText(item, 'company_name')),
      )
    : equals('uses_sandbox_credentials', toAttribute(inSandbox), ':uses_sandbox_credentials')
  const asStored = item && parseRealmId(item) === realmId ? readText(item, 'realm_id') : undefined
  const sameRealm = [
    ...(isInvited ? [NAMES_NO_REALM] : []),
    ...(realmId === undefined
      ? []
      : [equals('realm_id', { S: realmId }, ':realm_id'), equals('realm_id', { N: realmId }, ':realm_number')]),
    ...(asStored === undefined ? [] : [equals('realm_id', { S: asStored }, ':realm_as_stored')]),
  ]
  const sameCompany = sameRealm.length > 0 ? [all(any(...sameRealm), sameEnvironment)] : []
  // The generation is not compared: a refresh may raise it in the meantime. No refresh changes `connected_at`.
  const isLater = any(isNoNumber('connected_at'), isBelow('connected_at', connectedAt, ':connected_at'))
  return all(any(...sameCompany, HOLDS_NO_TOKENS), isLater)
}

/** Whether a second attempt makes sense: the record is the same company and has no later change. */
function isSameCompany(item: Item, companyKey: string, consent: Consent, connectedAt: EpochMs) {
  const { realmId, environment, isInvited = false, writer } = consent
  const stored = parseConnection(item, companyKey)
  if (stored.lastChange && (stored.lastChange.by === writer || stored.lastChange.at >= connectedAt)) return false
  const isSameRealm = stored.realmId === undefined ? isInvited : stored.realmId === realmId
  return (isSameRealm && stored.environment === environment) || !holdsTokens(stored)
}

/** Attributes that an earlier consent may have set, and that a consent may not have. */
const OPTIONAL_ATTRIBUTES = ['realm_id', 'realm_proven_at', 'consented_by', 'refresh_token_hard_expires_at']

/** The values to set and the attributes to remove. A value that the consent does not have is removed. */
function toUpdate(companyKey: string, consent: Consent) {
  const { companyName, environment, realmId, proof, pair, at, writer } = consent
  const now = toSeconds(at)
  const values = {
    company_key: companyKey,
    company_name: companyName,
    uses_sandbox_credentials: environment === 'sandbox',
    ...toTokenPairAttributes(companyKey, pair, pair.refreshTokenHardExpiresAt, now, writer),
    last_rotation_at: now,
    realm_id: realmId,
    realm_proven_at: proof && now,
    consented_by: proof?.subjectHash,
    connected_at: changeTime(consent),
    connected_by: writer,
  }
  const present = toAttributes(values)
  const absent = OPTIONAL_ATTRIBUTES.filter((name) => !(name in present))
  const removed = [LEASE_ATTRIBUTES, FAILURE_ATTRIBUTES, DISCONNECTION_ATTRIBUTES, 'expires_at', ...absent]
  return { now, values, removed: removed.join(', ') }
}

/** Attempts the write once. `seen` is the item that rejected the first attempt. Returns the item after the attempt. */
async function writeConsent(
  { dynamo, findRefusingItem }: ConnectionTable,
  companyKey: string,
  consent: Consent,
  seen?: Item,
) {
  const { now, values, removed } = toUpdate(companyKey, consent)
  const next = selectGenerationUpdate(seen)
  const condition = all(mayConnect(consent, values.connected_at, seen), next.condition)
  const written = await dynamo.updateItem({
    Key: connectionKey(companyKey),
    UpdateExpression: `SET ${toAssignments(values)}, created_at = if_not_exists(created_at, :now), ${next.assignment} REMOVE ${removed}`,
    ConditionExpression: condition.expression,
    ExpressionAttributeValues: {
      ...condition.values,
      ...toAssignedValues(values),
      ...next.values,
      ...toAttributes({ ':now': now }),
    },
    ReturnValues: 'ALL_NEW',
  })
  const item = written.refused ? await findRefusingItem(companyKey, written) : written.attributes
  return { refused: written.refused, item: item ?? {} }
}

/** Stores the first token pair of a consent (`ConnectionStore.connect`). */
export async function storeConsent(table: ConnectionTable, companyKey: string, consent: Consent): Promise<Connection> {
  const first = await writeConsent(table, companyKey, consent)
  const mayRepeat = first.refused && isSameCompany(first.item, companyKey, consent, changeTime(consent))
  const { item } = mayRepeat ? await writeConsent(table, companyKey, consent, first.item) : first
  return parseConnection(item, companyKey)
}
