import { type Connection, changeTime, type EpochMs, holdsTokens } from '../broker/connection.ts'
import type { Consent } from '../broker/ports/storage.ts'
import { assigned, assignments, attribute, attributes, text } from './attribute-values.ts'
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
import { nextGeneration, tokenPairAttributes } from './token-pair-attributes.ts'

/**
 * The condition on which a consent may replace the record. `item` is the record that refused a first attempt although the
 * reader finds the same company in it. Such a record was written by hand: its realm id has blanks around it, or it lacks
 * `uses_sandbox_credentials`.
 */
function mayConnect({ environment, realmId }: Consent, connectedAt: EpochMs, item?: Item): Condition {
  const inSandbox = environment === 'sandbox'
  // Without the flag, the reader derives the environment from the names.
  const sameEnvironment = item
    ? all(isFlagOrNone('uses_sandbox_credentials', inSandbox), isSameText('company_name', text(item, 'company_name')))
    : equals('uses_sandbox_credentials', attribute(inSandbox), ':uses_sandbox_credentials')
  const asStored = item && parseRealmId(item) === realmId ? text(item, 'realm_id') : undefined
  const sameRealm = any(
    NAMES_NO_REALM,
    ...(realmId === undefined
      ? []
      : [equals('realm_id', { S: realmId }, ':realm_id'), equals('realm_id', { N: realmId }, ':realm_number')]),
    ...(asStored === undefined ? [] : [equals('realm_id', { S: asStored }, ':realm_as_stored')]),
  )
  // The generation is not compared: a refresh may raise it in the meantime. No refresh changes `connected_at`.
  const isLater = any(isNoNumber('connected_at'), isBelow('connected_at', connectedAt, ':connected_at'))
  return all(any(all(sameRealm, sameEnvironment), HOLDS_NO_TOKENS), isLater)
}

/** Whether a refused consent is worth a second attempt: the reader finds the same company, and no later change. */
function isOddButSame(item: Item, companyKey: string, { realmId, environment, writer }: Consent, connectedAt: EpochMs) {
  const read = parseConnection(item, companyKey)
  if (read.lastChange && (read.lastChange.by === writer || read.lastChange.at >= connectedAt)) return false
  const isSame = (read.realmId === undefined || read.realmId === realmId) && read.environment === environment
  return isSame || !holdsTokens(read)
}

function toUpdate(companyKey: string, consent: Consent) {
  const { companyName, environment, realmId, pair, at, writer } = consent
  const now = Math.floor(at / 1000)
  const values = {
    company_key: companyKey,
    company_name: companyName,
    uses_sandbox_credentials: environment === 'sandbox',
    ...tokenPairAttributes(companyKey, pair, pair.refreshTokenHardExpiresAt, now, writer),
    last_rotation_at: now,
    realm_id: realmId,
    connected_at: changeTime(consent),
    connected_by: writer,
  }
  const known = attributes({ realm_id: realmId, refresh_token_hard_expires_at: pair.refreshTokenHardExpiresAt })
  const unknown = ['realm_id', 'refresh_token_hard_expires_at'].filter((name) => !(name in known))
  const removed = [LEASE_ATTRIBUTES, FAILURE_ATTRIBUTES, DISCONNECTION_ATTRIBUTES, 'expires_at', ...unknown]
  return { now, values, removed: removed.join(', ') }
}

/** Writes once. `seen` is the item that refused a first attempt. Returns the item as it is after the write. */
async function writeConsent(
  { dynamo, findRefusingItem }: ConnectionTable,
  companyKey: string,
  consent: Consent,
  seen?: Item,
) {
  const { now, values, removed } = toUpdate(companyKey, consent)
  const next = nextGeneration(seen)
  const condition = all(mayConnect(consent, values.connected_at, seen), next.condition)
  const written = await dynamo.updateItem({
    Key: connectionKey(companyKey),
    UpdateExpression: `SET ${assignments(values)}, created_at = if_not_exists(created_at, :now), ${next.assignment} REMOVE ${removed}`,
    ConditionExpression: condition.expression,
    ExpressionAttributeValues: {
      ...condition.values,
      ...assigned(values),
      ...next.values,
      ...attributes({ ':now': now }),
    },
    ReturnValues: 'ALL_NEW',
  })
  const item = written.refused ? await findRefusingItem(companyKey, written) : written.attributes
  return { refused: written.refused, item: item ?? {} }
}

/** Stores the first token pair of a consent (`ConnectionStore.connect`). */
export async function storeConsent(table: ConnectionTable, companyKey: string, consent: Consent): Promise<Connection> {
  const first = await writeConsent(table, companyKey, consent)
  const isToRepeat = first.refused && isOddButSame(first.item, companyKey, consent, changeTime(consent))
  const { item } = isToRepeat ? await writeConsent(table, companyKey, consent, first.item) : first
  return parseConnection(item, companyKey)
}
