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
import { readDigits, readEpochSeconds, readFlag, readInteger, readText, toAttributes } from './attribute-values.ts'
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

/** The key of the item. */
/** The key of the item. */
export function connectionKey(companyKey: string) {
  return toAttributes({ pk: `connection#${companyKey}` })
}

/** The record has neither an access token nor a refresh token. */
/** The record has neither an access token nor a refresh token. */
export const HOLDS_NO_TOKENS = all(isNoText('access_token'), isNoText('refresh_token'))
/** The record has no realm id: neither a string nor a number, which a record written by hand may contain. */
export const NAMES_NO_REALM = all(isNoText('realm_id'), isNoDigits('realm_id'))

/** The attributes of a lease. A write of a token pair removes them. */
export const LEASE_ATTRIBUTES = 'lease_owner, lease_until, lapsed_owner'
/** The attributes of a disconnect. A consent removes them. */
/** The attributes of a disconnect. A consent removes them. */
export const DISCONNECTION_ATTRIBUTES = 'disconnected_at, revocation, revocation_at, revocation_tid, revocation_token'
/** The attributes of a failed refresh. A write of a token pair removes them. */
/** The attributes of a failed refresh. A write of a token pair removes them. */
export const FAILURE_ATTRIBUTES =
  'failure_code, failure_error, failure_tid, failure_count, failure_since, failed_at, retry_at, failure_not_before, failure_client'

/** What the writes of connections need. */
export interface ConnectionTable {
  dynamo: DynamoDb
  /** The item that rejected a condition: from the response, or read again if the engine does not return it. */
  findRefusingItem(companyKey: string, refused: Refused): Promise<Item | undefined>
}

function parseLease(item: Item): Lease | undefined {
  const owner = readText(item, 'lease_owner')
  const until = readInteger(item, 'lease_until')
  return owner !== undefined && until !== undefined ? { owner, until } : undefined
}

function parseFailure(item: Item): Failure | undefined {
  const reason = REASONS.find((known) => known === readText(item, 'failure_code'))
  const at = readEpochSeconds(item, 'failed_at')
  if (!reason || at === undefined) return undefined
  return {
    reason,
    at,
    intuitError: readText(item, 'failure_error'),
    intuitTid: readText(item, 'failure_tid'),
    count: Math.max(1, readInteger(item, 'failure_count') ?? 1),
    since: readEpochSeconds(item, 'failure_since') ?? at,
    // Not `readEpochSeconds`: the last second of the year 9999 means never.
    retryAt: readInteger(item, 'retry_at') ?? at,
    notBefore: readEpochSeconds(item, 'failure_not_before'),
    client: readText(item, 'failure_client'),
  }
}

function parseDisconnection(item: Item): Disconnection | undefined {
  const at = readInteger(item, 'disconnected_at')
  const revocation = REVOCATIONS.find((known) => known === readText(item, 'revocation'))
  if (at === undefined || !revocation) return undefined
  const [intuitTid, token] = [readText(item, 'revocation_tid'), readText(item, 'revocation_token')]
  return { at, revocation, intuitTid, ...(token === undefined ? {} : { token }) }
}

function parseLastChange(item: Item): ConnectionChange | undefined {
  const at = readInteger(item, 'connected_at')
  return at === undefined ? undefined : { at, by: readText(item, 'connected_by') ?? '' }
}

/** Trims the id, because a value pasted by hand may have surrounding spaces or a line end. */
export function parseRealmId(item: Item): string | undefined {
  return readText(item, 'realm_id')?.trim() || readDigits(item, 'realm_id')
}

/** Parses a record. A record written by hand may lack attributes, or have values of other types. Never throws. */
export function parseConnection(item: Item, companyKey: string): Connection {
  const companyName = readText(item, 'company_name') ?? companyKey
  const usesSandbox =
    readFlag(item, 'uses_sandbox_credentials') ?? environmentFor(companyKey, companyName) === 'sandbox'
  return {
    companyKey,
    companyName,
    environment: usesSandbox ? 'sandbox' : 'production',
    realmId: parseRealmId(item),
    realmProvenAt: readEpochSeconds(item, 'realm_proven_at'),
    accessToken: readText(item, 'access_token'),
    accessTokenExpiresAt: readEpochSeconds(item, 'access_token_expires_at'),
    refreshToken: readText(item, 'refresh_token'),
    refreshTokenExpiresAt: readEpochSeconds(item, 'refresh_token_expires_at'),
    refreshTokenHardExpiresAt: readEpochSeconds(item, 'refresh_token_hard_expires_at'),
    createdAt: readEpochSeconds(item, 'created_at'),
    updatedAt: readEpochSeconds(item, 'updated_at'),
    lastRefreshAt: readEpochSeconds(item, 'last_refresh_at'),
    generation: readInteger(item, 'generation') ?? 0,
    refreshTokenHash: readText(item, 'refresh_token_hash'),
    writtenBy: readText(item, 'written_by'),
    lease: parseLease(item),
    failure: parseFailure(item),
    disconnection: parseDisconnection(item),
    lastChange: parseLastChange(item),
    refreshes: parseHistory(readText(item, 'refreshes')),
  }
}

/** Whether an unfinished record has expired. DynamoDB deletes expired items within days, not at once. */
export function isExpired(item: Item, now: EpochSeconds): boolean {
  const expiresAt = readInteger(item, 'expires_at')
  return expiresAt !== undefined && expiresAt <= now
}
