import { environmentFor } from '../broker/company.ts'
import type {
  Connection,
  ConnectionChange,
  Disconnection,
  EpochSeconds,
  Failure,
  FailureReason,
  Lease,
  Revocation,
} from '../broker/connection.ts'
import { attributes, digits, epochSeconds, flag, integer, text } from './attribute-values.ts'
import { all, isNoDigits, isNoText } from './conditions.ts'
import type { DynamoDb, Item, Refused } from './dynamodb.ts'
import { parseHistory } from './refresh-history.ts'

/*
 * The item `connection#<company_key>`. docs/storage-schema.md describes every attribute. A record written by hand holds
 * only the attributes of the API reference.
 */

const REVOCATIONS: readonly Revocation[] = ['confirmed', 'unconfirmed', 'pending']
const REASONS: readonly FailureReason[] = [
  'invalid_grant',
  'invalid_client',
  'request_rejected',
  'unavailable',
  'unsettled',
]

export function connectionKey(companyKey: string) {
  return attributes({ pk: `connection#${companyKey}` })
}

export const HOLDS_NO_TOKENS = all(isNoText('access_token'), isNoText('refresh_token'))
/** A realm id is a string. A number written by hand counts as its digits. */
export const NAMES_NO_REALM = all(isNoText('realm_id'), isNoDigits('realm_id'))

/** A stored token pair removes the attributes of leases and failures. */
export const LEASE_ATTRIBUTES = 'lease_owner, lease_until, lapsed_owner'
export const DISCONNECTION_ATTRIBUTES = 'disconnected_at, revocation, revocation_at, revocation_tid, revocation_token'
export const FAILURE_ATTRIBUTES =
  'failure_code, failure_error, failure_tid, failure_count, failure_since, failed_at, retry_at, failure_not_before, failure_client'

/** The table as the writes of connections need it. */
export interface ConnectionTable {
  dynamo: DynamoDb
  /** The item that refused a condition: as DynamoDB returned it, or read if the engine does not return it. */
  findRefusingItem(companyKey: string, refused: Refused): Promise<Item | undefined>
}

function parseLease(item: Item): Lease | undefined {
  const owner = text(item, 'lease_owner')
  const until = integer(item, 'lease_until')
  return owner !== undefined && until !== undefined ? { owner, until } : undefined
}

function parseFailure(item: Item): Failure | undefined {
  const reason = REASONS.find((known) => known === text(item, 'failure_code'))
  const at = epochSeconds(item, 'failed_at')
  if (!reason || at === undefined) return undefined
  return {
    reason,
    at,
    intuitError: text(item, 'failure_error'),
    intuitTid: text(item, 'failure_tid'),
    count: Math.max(1, integer(item, 'failure_count') ?? 1),
    since: epochSeconds(item, 'failure_since') ?? at,
    // Not by `epochSeconds`: the last second of the year 9999 means never.
    retryAt: integer(item, 'retry_at') ?? at,
    notBefore: epochSeconds(item, 'failure_not_before'),
    client: text(item, 'failure_client'),
  }
}

function parseDisconnection(item: Item): Disconnection | undefined {
  const at = integer(item, 'disconnected_at')
  const revocation = REVOCATIONS.find((known) => known === text(item, 'revocation'))
  if (at === undefined || !revocation) return undefined
  const [intuitTid, token] = [text(item, 'revocation_tid'), text(item, 'revocation_token')]
  return { at, revocation, intuitTid, ...(token === undefined ? {} : { token }) }
}

function parseLastChange(item: Item): ConnectionChange | undefined {
  const at = integer(item, 'connected_at')
  return at === undefined ? undefined : { at, by: text(item, 'connected_by') ?? '' }
}

/** A value pasted by hand may have blanks or a line end around it. */
export function parseRealmId(item: Item): string | undefined {
  return text(item, 'realm_id')?.trim() || digits(item, 'realm_id')
}

/** Parses a record, also one written by hand. */
export function parseConnection(item: Item, companyKey: string): Connection {
  const companyName = text(item, 'company_name') ?? companyKey
  const usesSandbox = flag(item, 'uses_sandbox_credentials') ?? environmentFor(companyKey, companyName) === 'sandbox'
  return {
    companyKey,
    companyName,
    environment: usesSandbox ? 'sandbox' : 'production',
    realmId: parseRealmId(item),
    accessToken: text(item, 'access_token'),
    accessTokenExpiresAt: epochSeconds(item, 'access_token_expires_at'),
    refreshToken: text(item, 'refresh_token'),
    refreshTokenExpiresAt: epochSeconds(item, 'refresh_token_expires_at'),
    refreshTokenHardExpiresAt: epochSeconds(item, 'refresh_token_hard_expires_at'),
    createdAt: epochSeconds(item, 'created_at'),
    updatedAt: epochSeconds(item, 'updated_at'),
    lastRefreshAt: epochSeconds(item, 'last_refresh_at'),
    generation: integer(item, 'generation') ?? 0,
    refreshTokenHash: text(item, 'refresh_token_hash'),
    writtenBy: text(item, 'written_by'),
    lease: parseLease(item),
    failure: parseFailure(item),
    disconnection: parseDisconnection(item),
    lastChange: parseLastChange(item),
    refreshes: parseHistory(text(item, 'refreshes')),
  }
}

/** Whether an unfinished record has expired. DynamoDB deletes it only within days. */
export function isExpired(item: Item, now: EpochSeconds): boolean {
  const expiresAt = integer(item, 'expires_at')
  return expiresAt !== undefined && expiresAt <= now
}
