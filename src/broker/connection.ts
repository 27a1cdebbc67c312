import type { Environment } from './company.ts'
import type { RefreshHistoryEntry } from './refresh/history.ts'

/** Seconds since the Unix epoch, as all times on the wire and in the record. */
export type EpochSeconds = number
/** Milliseconds since the Unix epoch, where seconds are too coarse: leases and deadlines. */
export type EpochMs = number

/** A token as the record holds it: sealed where keys are configured, plain where not. The `Vault` opens it. */
export type StoredToken = string

/** One answer of Intuit's token endpoint, its lengths of time turned into times. */
export interface TokenPair {
  accessToken: string
  accessTokenExpiresAt: EpochSeconds
  refreshToken: string
  refreshTokenExpiresAt: EpochSeconds
  /** The end of the five years that no refresh extends, where Intuit tells it. */
  refreshTokenHardExpiresAt: EpochSeconds | undefined
}

/** A pair as the record will hold it. */
export interface StoredTokenPair extends Omit<TokenPair, 'accessToken' | 'refreshToken'> {
  accessToken: StoredToken
  refreshToken: StoredToken
  /** SHA-256 of the refresh token itself, hexadecimal. */
  refreshTokenHash: string
}

/**
 * Why Intuit gave no tokens. Only `invalid_grant` says anything about the token or code. `request_rejected`: another
 * error of RFC 6749 section 5.2, so the request or the app's set-up is wrong. `unavailable`: transient.
 */
export type TokenErrorReason = 'invalid_grant' | 'invalid_client' | 'request_rejected' | 'unavailable'
/** `unsettled`: an `invalid_grant` that may be due to a holder who spent the token and has yet to store its successor. */
export type FailureReason = TokenErrorReason | 'unsettled'

/** The failed refreshes since the last good one. */
export interface Failure {
  reason: FailureReason
  /** Intuit's own error code, where its answer had one. */
  intuitError: string | undefined
  intuitTid: string | undefined
  /** How many in a row, and since when. */
  count: number
  since: EpochSeconds
  at: EpochSeconds
  /** Before this time nobody asks Intuit again unless forced. */
  retryAt: EpochSeconds
  /** Before this time not even a forced refresh asks: Intuit's `Retry-After`. */
  notBefore: EpochSeconds | undefined
  /** Digest of the client credentials that failed, where they may be the cause. */
  client: string | undefined
}

/** Whether Intuit has revoked an erased token: yes; not to our knowledge, and nobody asks any more; still being asked. */
export type Revocation = 'confirmed' | 'unconfirmed' | 'pending'

/** The end of a connection. */
export interface Disconnection {
  at: EpochSeconds
  revocation: Revocation
  intuitTid: string | undefined
  /** The token that is still to be revoked, as it was stored. It is never handed out. */
  token?: StoredToken
}

/** The last consent or disconnect of a record. */
export interface ConnectionChange {
  at: EpochMs
  /** Names its writer, who recognises by it a write whose response was lost. */
  by: string
}

export interface Lease {
  owner: string
  until: EpochMs
}

/** Owns the lease of a request that may still be under way at Intuit, and that nobody waits for any more. */
export const EMBARGO = 'nobody'

/** What is stored about one company. `undefined` is what is not known, or not known yet. */
export interface Connection {
  companyKey: string
  companyName: string
  environment: Environment
  realmId: string | undefined
  /** When an ID token of Intuit named this company. `undefined`: only the browser named it. */
  realmProvenAt: EpochSeconds | undefined
  accessToken: StoredToken | undefined
  accessTokenExpiresAt: EpochSeconds | undefined
  refreshToken: StoredToken | undefined
  refreshTokenExpiresAt: EpochSeconds | undefined
  /** The end of the five years that no refresh extends, where Intuit told it. */
  refreshTokenHardExpiresAt: EpochSeconds | undefined
  createdAt: EpochSeconds | undefined
  updatedAt: EpochSeconds | undefined
  lastRefreshAt: EpochSeconds | undefined
  /** Grows by one with every stored token pair; 0 where none was stored yet. */
  generation: number
  /** SHA-256 of the refresh token; a record written by hand has none. */
  refreshTokenHash: string | undefined
  /** Names the writer of the stored pair, by which a writer whose answer was lost knows its own write. */
  writtenBy: string | undefined
  lease: Lease | undefined
  failure: Failure | undefined
  /** Where it was disconnected, and not connected again since. */
  disconnection: Disconnection | undefined
  /** `undefined` in a record written by hand. */
  lastChange: ConnectionChange | undefined
  /** The last attempts to refresh, newest last. */
  refreshes: readonly RefreshHistoryEntry[]
}

export type WithAccessToken = Connection & { accessToken: StoredToken; accessTokenExpiresAt: EpochSeconds }

/** What of a record is handed out with its access token, and remembered. */
export type HandedOut = Pick<
  WithAccessToken,
  | 'companyKey'
  | 'companyName'
  | 'environment'
  | 'realmId'
  | 'accessTokenExpiresAt'
  | 'refreshTokenExpiresAt'
  | 'updatedAt'
  | 'lastRefreshAt'
  | 'generation'
>

/** What a caller is given: the access token itself, and the record it is of. */
export interface UsableToken {
  accessToken: string
  connection: HandedOut
}

/** Whether there is an access token, valid or not. */
export function holdsAccessToken(connection: Connection): connection is WithAccessToken {
  return connection.accessToken !== undefined && connection.accessTokenExpiresAt !== undefined
}

/** Intuit's access tokens live an hour. A record that promises more than a day was written by hand, or by a wrong clock. */
const MAX_ACCESS_SECONDS = 86_400

/** Whether the access token outlives `now` by more than `marginSeconds`, as far as the record can be believed. */
export function isFresh(
  connection: Connection,
  now: EpochSeconds,
  marginSeconds: number,
): connection is WithAccessToken {
  if (!holdsAccessToken(connection)) return false
  const leftSeconds = connection.accessTokenExpiresAt - now
  return leftSeconds > marginSeconds && leftSeconds <= MAX_ACCESS_SECONDS
}

/** When a consent or disconnect counts as made: after the one that it has seen, whatever the clocks of two Workers say. */
export function changeTime({ at, after }: { at: EpochMs; after?: ConnectionChange | undefined }): EpochMs {
  return Math.max(at, (after?.at ?? 0) + 1)
}

/** Whether there is a token of any kind. */
export function holdsTokens({ accessToken, refreshToken }: Connection): boolean {
  return accessToken !== undefined || refreshToken !== undefined
}

/**
 * The name that belongs to the company. For a record that was never connected, this is the company key: the stored name
 * comes from a start link that anybody may have opened.
 */
export function findOwnName(connection: Connection): string {
  const { companyKey, companyName, generation, lastChange, disconnection } = connection
  const wasConnected = generation > 0 || lastChange !== undefined || disconnection !== undefined
  return wasConnected || holdsTokens(connection) ? companyName : companyKey
}

/** Which tokens are stored, of a record, or of what the fleet index shows of it. */
export interface Holdings {
  holdsAccessToken: boolean
  holdsRefreshToken: boolean
}

export function holdings({ accessToken, refreshToken }: Connection): Holdings {
  return { holdsAccessToken: accessToken !== undefined, holdsRefreshToken: refreshToken !== undefined }
}

/** `connected` of the API reference: whether access and refresh tokens are stored. Intuit may refuse them all the same. */
export function isConnected({ holdsAccessToken, holdsRefreshToken }: Holdings): boolean {
  return holdsAccessToken && holdsRefreshToken
}
