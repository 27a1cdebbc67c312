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
 * pk                                                   S     connection#<company_key>
 * company_key, company_name, realm_id                  S
 * access_token, refresh_token                          S
 * access_token_expires_at, refresh_token_expires_at    N     epoch seconds, as every time but two
 * refresh_token_hard_expires_at                        N     the end of the five years
 * created_at, updated_at, last_refresh_at              N
 * last_rotation_at                                     N     when the refresh token last changed its value
 * uses_sandbox_credentials                             BOOL
 * generation                                           N     grows by one with every stored pair
 * refresh_token_hash                                   S     SHA-256, hexadecimal
 * written_by                                           S     who stored the pair
 * connected_at, connected_by                           N S   epoch milliseconds; the last consent, or disconnect
 * lease_owner, lease_until, lapsed_owner               S N S lease_until in epoch milliseconds
 * failure_code, failure_error, failure_tid             S     why the last refreshes failed; Intuit's error code and id
 * failure_count, failure_since, failed_at, retry_at    N
 * failure_not_before, failure_client                   N S   Intuit's Retry-After; digest of the client credentials
 * disconnected_at                                      N     when the tokens were erased
 * revocation, revocation_at, revocation_tid            S N S pending, confirmed or unconfirmed; Intuit's id of the answer
 * revocation_token                                     S     only while `revocation` is pending: the erased refresh token
 *                                                            (else the access token) as it was stored, so that a second
 *                                                            disconnect can revoke it. Nothing else reads it
 * refreshes                                            S     the last attempts: `refresh-history.ts`
 * alerted                                              S     what the operator was last told: `fleet.ts`
 * expires_at                                           N     TTL, only while it was never connected
 *
 * fleet_shard, dies_at                                 S N   the place in the index `fleet`: `fleet-attributes.ts`
 *
 * A record written by hand holds the first eight and no more.
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
/** A realm id is a string. Written by hand as a number, it means its digits. */
export const NAMES_NO_REALM = all(isNoText('realm_id'), isNoDigits('realm_id'))

/** Attributes that only a refresh in progress or in trouble needs: a stored pair removes them. */
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

/** Pasted by hand, it may have blanks or a line end around it. */
export function parseRealmId(item: Item): string | undefined {
  return text(item, 'realm_id')?.trim() || digits(item, 'realm_id')
}

/** Reads a record, ours or one written by hand. */
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

/** Whether a record that never got connected has outlived its day: DynamoDB deletes it only within days. */
export function isExpired(item: Item, now: EpochSeconds): boolean {
  const expiresAt = integer(item, 'expires_at')
  return expiresAt !== undefined && expiresAt <= now
}
