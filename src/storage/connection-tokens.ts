import {
  type Connection,
  changeTime,
  type EpochMs,
  type EpochSeconds,
  holdsTokens,
  type StoredTokenPair,
} from '../broker/connection.ts'
import type { ConnectionStore, Consent } from '../broker/ports.ts'
import { addRefreshNote } from '../broker/refresh/history.ts'
import { assigned, assignments, attribute, attributes, integer, text } from './attribute-values.ts'
import {
  absent,
  all,
  any,
  type Condition,
  equals,
  isBelow,
  isFlagOrNone,
  isNoNumber,
  isNumber,
  isSameInteger,
  isSameText,
  not,
} from './conditions.ts'
import {
  connectionKey,
  DISCONNECTION_ATTRIBUTES,
  FAILURE_ATTRIBUTES,
  HOLDS_NO_TOKENS,
  LEASE_ATTRIBUTES,
  NAMES_NO_REALM,
  parseConnection,
  parseRealmId,
} from './connection-item.ts'
import { ownLease, stillStored } from './connection-leases.ts'
import type { Applied, DynamoDb, Item, Refused } from './dynamodb.ts'
import { fleetAttributes } from './fleet-keys.ts'
import { formatHistory } from './refresh-history.ts'

/** `attribute + 1` is an error where the attribute holds no number: the reader takes such a record for one of generation 0. */
const NEXT_GENERATION = {
  usual: {
    assignment: 'generation = if_not_exists(generation, :zero) + :one',
    condition: any(absent('generation'), isNumber('generation')),
    values: attributes({ ':zero': 0, ':one': 1 }),
  },
  odd: { assignment: 'generation = :one', condition: isNoNumber('generation'), values: attributes({ ':one': 1 }) },
}

function nextGeneration(item?: Item) {
  const isOdd = item !== undefined && 'generation' in item && integer(item, 'generation') === undefined
  return isOdd ? NEXT_GENERATION.odd : NEXT_GENERATION.usual
}

function isNotWrittenBy(writer: string): Condition {
  return not(equals('written_by', attribute(writer), ':written_by'))
}

/**
 * Whether a consent may be stored over the record. `item` is the record that refused a first attempt although its reader
 * sees the same company in it: written by hand, its realm id has blanks around it, or it has no flag.
 */
function mayConnect({ environment, realmId }: Consent, connectedAt: EpochMs, item?: Item): Condition {
  const inSandbox = environment === 'sandbox'
  // Without a flag, the names tell the environment to the reader.
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
  // Not the generation: a refresh may raise it meanwhile. No refresh touches `connected_at`.
  const isLater = any(isNoNumber('connected_at'), isBelow('connected_at', connectedAt, ':connected_at'))
  return all(any(all(sameRealm, sameEnvironment), HOLDS_NO_TOKENS), isLater)
}

/** Of the five years Intuit's answer may say nothing: what the record knows stays true. */
function tokenPairAttributes(
  companyKey: string,
  pair: StoredTokenPair,
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
function nobodyElse(used: Connection, writer: string): Condition {
  return all(ownLease(writer, used), isSameInteger('generation', used.generation))
}

/** A refused write is worth another attempt where its reader sees what it was refused for want of. */
function isOddButSame(item: Item, companyKey: string, { realmId, environment, writer }: Consent, connectedAt: EpochMs) {
  const read = parseConnection(item, companyKey)
  if (read.lastChange && (read.lastChange.by === writer || read.lastChange.at >= connectedAt)) return false
  const isSame = (read.realmId === undefined || read.realmId === realmId) && read.environment === environment
  return isSame || !holdsTokens(read)
}

/** The writes of token pairs: the first one of a consent, and the successor of a spent one. */
export function createConnectionTokens(
  dynamo: DynamoDb,
  refusingItem: (companyKey: string, refused: Refused) => Promise<Item | undefined>,
): Pick<ConnectionStore, 'connect' | 'replace'> {
  /** A write that was refused may be our own one, applied when its first answer was lost. `item` is what refused it. */
  const ownOrApplied = (companyKey: string, writer: string, written: Applied | Refused, item: Item | undefined) => {
    if (!written.refused) return parseConnection(written.attributes, companyKey)
    return item && text(item, 'written_by') === writer ? parseConnection(item, companyKey) : undefined
  }

  return {
    async connect(companyKey, consent) {
      const { companyName, environment, realmId, pair, at, writer } = consent
      const now = Math.floor(at / 1000)
      const connectedAt = changeTime(consent)
      const values = {
        company_key: companyKey,
        company_name: companyName,
        uses_sandbox_credentials: environment === 'sandbox',
        ...tokenPairAttributes(companyKey, pair, pair.refreshTokenHardExpiresAt, now, writer),
        last_rotation_at: now,
        realm_id: realmId,
        connected_at: connectedAt,
        connected_by: writer,
      }
      const known = attributes({ realm_id: realmId, refresh_token_hard_expires_at: pair.refreshTokenHardExpiresAt })
      const unknown = ['realm_id', 'refresh_token_hard_expires_at'].filter((name) => !(name in known))
      const forget = [LEASE_ATTRIBUTES, FAILURE_ATTRIBUTES, DISCONNECTION_ATTRIBUTES, 'expires_at', ...unknown]
      const write = async (seen?: Item) => {
        const next = nextGeneration(seen)
        const condition = all(mayConnect(consent, connectedAt, seen), next.condition)
        const written = await dynamo.updateItem({
          Key: connectionKey(companyKey),
          UpdateExpression: `SET ${assignments(values)}, created_at = if_not_exists(created_at, :now), ${next.assignment} REMOVE ${forget.join(', ')}`,
          ConditionExpression: condition.expression,
          ExpressionAttributeValues: {
            ...condition.values,
            ...assigned(values),
            ...next.values,
            ...attributes({ ':now': now }),
          },
          ReturnValues: 'ALL_NEW',
        })
        return {
          refused: written.refused,
          item: (written.refused ? await refusingItem(companyKey, written) : written.attributes) ?? {},
        }
      }
      const first = await write()
      const isToRepeat = first.refused && isOddButSame(first.item, companyKey, consent, connectedAt)
      const { item } = isToRepeat ? await write(first.item) : first
      return parseConnection(item, companyKey)
    },

    async replace(used, { pair, rotated, now, writer }, end) {
      const { companyKey } = used
      const hardExpiresAt = pair.refreshTokenHardExpiresAt ?? used.refreshTokenHardExpiresAt
      const lapsedAt = end === 'free' || rotated ? undefined : end.lapsedAt
      const values = {
        ...tokenPairAttributes(companyKey, pair, hardExpiresAt, now, writer),
        last_rotation_at: rotated ? now : undefined,
        refreshes: formatHistory(addRefreshNote(used.refreshes, rotated ? 'rotated' : 'kept', now)),
        lease_until: lapsedAt,
      }
      const forget = lapsedAt === undefined ? `${LEASE_ATTRIBUTES}, ${FAILURE_ATTRIBUTES}` : FAILURE_ATTRIBUTES
      const write = (next: ReturnType<typeof nextGeneration>) => {
        // A rotated pair needs no lease: if it lapsed meanwhile, this pair may be the only living one.
        const unlessRotated = rotated ? [] : [nobodyElse(used, writer)]
        const condition = all(stillStored(used), isNotWrittenBy(writer), ...unlessRotated, next.condition)
        // One attempt: whoever waits has to know of the first failure, to park the pair.
        return dynamo.updateItem(
          {
            Key: connectionKey(companyKey),
            UpdateExpression: `SET ${assignments(values)}, ${next.assignment} REMOVE ${forget}`,
            ConditionExpression: condition.expression,
            ExpressionAttributeValues: { ...condition.values, ...assigned(values), ...next.values },
            ReturnValues: 'ALL_NEW',
          },
          { attempts: 1 },
        )
      }
      const written = await write(NEXT_GENERATION.usual)
      const item = written.refused ? await refusingItem(companyKey, written) : undefined
      const next = nextGeneration(item)
      if (next === NEXT_GENERATION.usual) return ownOrApplied(companyKey, writer, written, item)
      const repeated = await write(next)
      return ownOrApplied(companyKey, writer, repeated, repeated.refused ? repeated.item : undefined)
    },
  }
}
